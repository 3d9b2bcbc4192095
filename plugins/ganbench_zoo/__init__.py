"""The zoo: GANs, and what they are trained and measured on, one plugin a file. The core imports nothing of it."""
