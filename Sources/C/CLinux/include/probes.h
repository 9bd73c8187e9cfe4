// What this kernel can do, asked of the kernel itself: version numbers lie on kernels with backports and in sandboxes.
// Each returns 0, or the errno the kernel answered with.
#pragma once

/// fsopen("overlay") takes layers one by one ("lowerdir+"), so that any number of them fits. EPERM without CAP_SYS_ADMIN.
int clinux_probe_overlay_append(void);
int clinux_probe_pidfd(void);
int clinux_probe_openat2(void);
/// clone3(2), by a call that is refused as invalid where it exists.
int clinux_probe_clone3(void);
/// SECCOMP_GET_ACTION_AVAIL of SECCOMP_RET_ERRNO.
int clinux_probe_seccomp(void);
