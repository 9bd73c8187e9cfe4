#pragma once

/// 1 where the path is a namespace (nsfs, or procfs' link to one), 0 where it is anything else or nothing.
int clinux_is_namespace(const char *path);
