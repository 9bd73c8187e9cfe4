#pragma once

/// 4 or 6 for an IP address as text, 0 for anything else.
int clinux_address_family(const char *text);
