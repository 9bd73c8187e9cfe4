import CLinux

_ = getpid()
