#pragma once
// Linked statically: of the shared library's dependencies (libxml2, ICU, nettle, …) the tar reader needs none but zstd.
#include <archive.h>
#include <archive_entry.h>
