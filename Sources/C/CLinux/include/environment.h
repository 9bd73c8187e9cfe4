#pragma once

/// environ is a C global, which Swift 6 refuses.
char **clinux_environment(void);
