/// A pod to be attached to the node's CNI networks.
package struct NetworkAttachment: Sendable, Hashable, Codable {
  package struct PortMapping: Sendable, Hashable, Codable {
    /// `tcp`, `udp` or `sctp`.
    package var proto: String
    package var containerPort: Int32
    package var hostPort: Int32
    package var hostIP: String

    package init(proto: String, containerPort: Int32, hostPort: Int32, hostIP: String) {
      self.proto = proto
      self.containerPort = containerPort
      self.hostPort = hostPort
      self.hostIP = hostIP
    }
  }
  package struct DNS: Sendable, Hashable, Codable {
    package var servers: [String]
    package var searches: [String]
    package var options: [String]

    package init(servers: [String], searches: [String], options: [String]) {
      self.servers = servers
      self.searches = searches
      self.options = options
    }
  }

  package var sandboxID: String
  package var netnsPath: String
  package var podName: String
  package var podNamespace: String
  package var podUID: String
  package var portMappings: [PortMapping] = []
  package var annotations: [String: String] = [:]
  /// `/kubepods/…`, given to plugins that ask for the cgroupPath capability.
  package var cgroupParent = ""
  /// The pod's own resolver settings, where it has any.
  package var dns: DNS?
  /// Where this pod's networks are configured; nil for the node's directory.
  package var configurationDirectory: String?
  /// How many of that directory's networks it gets, 0 for all; nil for the node's number.
  package var networks: Int?

  package init(sandboxID: String, netnsPath: String, podName: String, podNamespace: String, podUID: String) {
    self.sandboxID = sandboxID
    self.netnsPath = netnsPath
    self.podName = podName
    self.podNamespace = podNamespace
    self.podUID = podUID
  }
}

/// Addresses without prefix length; the first is the pod's primary one.
package struct NetworkResult: Sendable, Hashable, Codable {
  package var addresses: [String]
  package init(addresses: [String]) { self.addresses = addresses }
}

/// A detach that failed and will be tried again.
package struct PendingDetach: Sendable, Hashable {
  package var sandboxID: String
  package var attempts: Int
  package var lastError: String

  package init(sandboxID: String, attempts: Int, lastError: String) {
    self.sandboxID = sandboxID
    self.attempts = attempts
    self.lastError = lastError
  }
}

package protocol PodNetwork: Sendable {
  /// Throws FAILED_PRECONDITION with the reason (no configuration, plugin missing) where no pod could be attached now. Reads the directory anew.
  func status() async throws
  /// CNI ADD of all networks; configuration and result are cached durably before they are needed for DEL. On failure DEL was run for what was added.
  func attach(_ attachment: NetworkAttachment) async throws -> NetworkResult
  /// CNI DEL from the cache. Detaching what is not attached succeeds. A failing DEL is queued durably and retried in the background: this does not throw for it.
  func detach(_ sandboxID: String, netnsPath: String?) async throws
  /// Ends what an earlier daemon's attach of this sandbox still does, so that a detach has the last word.
  func endOrphans(of sandboxID: String) async
  /// IDs of all cached attachments, so that recovery can detach orphans.
  func attachments() throws -> [String]
  func pending() -> [PendingDetach]
  /// What the plugins made of an attachment, as they told it, by the pod's interface; empty where none is known.
  func results(of sandboxID: String) -> [(interface: String, result: JSON)]
  /// CNI CHECK: throws where the attachment is not as its plugins made it. Nothing for networks that cannot tell. NOT_FOUND where none is known.
  func check(_ sandboxID: String) async throws
  /// CNI GC: plugins release all that belongs to no attachment known here. Attachments wait for its end.
  func collectGarbage() async throws
  /// The node's pod networks, as UpdateRuntimeConfig tells them (one CIDR a family): written into the configuration directory by a template
  /// where there is one, and where no network is configured yet.
  func configure(podCIDRs: [String]) async throws
}

/// What a network that has no plugins need not know.
extension PodNetwork {
  package func endOrphans(of sandboxID: String) async {}
  package func results(of sandboxID: String) -> [(interface: String, result: JSON)] { [] }
  package func check(_ sandboxID: String) async throws {}
  package func collectGarbage() async throws {}
  package func configure(podCIDRs: [String]) async throws {}
}
