"""What stands between a batch and the discriminator, one a file."""
