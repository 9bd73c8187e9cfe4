"""Container images made from this machine's own files, without any other tool and the same bytes every time."""
