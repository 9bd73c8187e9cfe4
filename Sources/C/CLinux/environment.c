#include "CLinux.h"

extern char **environ;

char **clinux_environment(void) { return environ; }
