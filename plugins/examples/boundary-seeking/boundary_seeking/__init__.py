"""Plugins for ganbench: each module registers one."""
