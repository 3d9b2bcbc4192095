"""Samples from files that anyone may have made: folders of pictures, NumPy and safetensors files. Nothing is unpickled.

NumPy and Pillow only. Whatever is wrong with a file is one line that names it.
"""
