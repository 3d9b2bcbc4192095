"""Who runs it: run folders in, finished run folders out. No torch in this process; a run owns a process of its own."""
