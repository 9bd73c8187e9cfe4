#pragma once
// As CLinux has it (and says why): one and the same shape of the C library's types in all modules.
#define _GNU_SOURCE 1
#include <features.h>
#pragma push_macro("__USE_XOPEN")
#undef __USE_XOPEN
#include <sys/select.h>
#pragma pop_macro("__USE_XOPEN")
#include <archive.h>
#include <archive_entry.h>
