#pragma once
#include <seccomp.h>
#include <stdlib.h>
