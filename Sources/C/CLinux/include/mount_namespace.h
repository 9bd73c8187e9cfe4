#pragma once

/// Starts this program anew, with the same process ID, in the mount namespace that `path` holds: a process with threads cannot change its own.
/// 0 where it is in that namespace already, -1 with errno where it cannot be done; otherwise it does not return.
int clinux_restart_in_mount_namespace(const char *path, char *const arguments[]);
