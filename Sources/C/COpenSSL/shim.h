#pragma once
// As CLinux has it: one and the same shape of the C library's types in all modules.
#define _GNU_SOURCE 1
#include <openssl/evp.h>
