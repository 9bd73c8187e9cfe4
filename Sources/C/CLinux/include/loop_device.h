// Files as block devices (loop(4)).
#pragma once

/// The number of a loop device that nobody uses (made where there is none), or -1. Somebody else may take it first.
int clinux_free_loop_device(int control);
/// Puts the file `backing` behind the open loop device `loop`; when its last user goes, the device is free again (LO_FLAGS_AUTOCLEAR).
/// EBUSY where it is taken. Linux 5.8.
int clinux_configure_loop_device(int loop, int backing, const char *name, unsigned block_size);
