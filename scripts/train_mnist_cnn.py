"""Train the extractor `mnist-cnn`: `train_extractor.py mnist-cnn`, under the name that its page gives.

    PYTHONPATH=plugins GANBENCH_DATA=… python scripts/train_mnist_cnn.py [--epochs 12] [--seed 0]

About a quarter of an hour on one CPU core.
"""

import sys

from train_extractor import main

if __name__ == "__main__":
    main(["mnist-cnn", *sys.argv[1:]])
