/// The OCI features document: what holds for every shim. What one of them can do beyond that only it knows.
enum Features {
  static let json = Bytes(
    """
    {"ociVersionMin":"1.0.0","ociVersionMax":"1.0.2","mountOptions":["bind","rbind","ro","rw","nosuid","nodev","noexec","rprivate","rslave"],\
    "linux":{"namespaces":["cgroup","ipc","mount","network","pid","uts"]}}
    """)
}
