package import Linux

/// The sandbox that a container joins. A namespace path that is `nil` means the host's.
package struct PodFacts: Sendable, Hashable {
  package var sandboxID: String
  package var networkNamespace: String?
  package var ipcNamespace: String?
  package var utsNamespace: String?
  package var userNamespace: UserNamespace?
  /// Of the holder, where the pod shares one PID namespace.
  package var pidNamespace: String?
  /// Of the container that `target_id` names.
  package var targetPIDNamespace: String?
  /// Files of the sandbox that are mounted over the image's; `nil` leaves the image's in place.
  package var hostnameFile: String?
  package var hostsFile: String?
  package var resolvConfFile: String?
  /// An empty file for /run/.containerenv, by which programs know that they are in a container.
  package var markerFile: String?
  /// The pod's tmpfs for /dev/shm; `nil` gives the container a tmpfs of its own.
  package var shm: String?
  /// Bytes of such a tmpfs.
  package var shmSize = 64 << 20

  package init(sandboxID: String) { self.sandboxID = sandboxID }

  /// The namespaces of the process that holds them. The network namespace's own mount is passed as `networkNamespace`, since it outlives the holder.
  package init(sandboxID: String, holderPID: Int32, namespaces: PodNamespaces, networkNamespace: String?) {
    self.sandboxID = sandboxID
    self.networkNamespace = namespaces.ownNetwork ? networkNamespace ?? "/proc/\(holderPID)/ns/net" : nil
    ipcNamespace = namespaces.ownIPC ? "/proc/\(holderPID)/ns/ipc" : nil
    utsNamespace = namespaces.ownUTS ? "/proc/\(holderPID)/ns/uts" : nil
    pidNamespace = namespaces.sharedPID ? "/proc/\(holderPID)/ns/pid" : nil
  }
}

/// A pod's user namespace: its containers' root is nobody outside.
package struct UserNamespace: Sendable, Hashable {
  package var path: String
  package var maps: IDMaps

  package init(path: String, maps: IDMaps) {
    self.path = path
    self.maps = maps
  }
}
