/// What a runtime handler does otherwise than the node says (`[runtimes.NAME]`). Does not change while the daemon runs.
package struct HandlerFacts: Sendable, Hashable {
  /// Privileged containers see no more of the host's devices than others.
  package var hidesHostDevices = false
  /// … but may use any that they make or are given. Only with ``hidesHostDevices``.
  package var allowsAllDevices = false
  /// cgroup v2: containers that are not privileged may write below their own cgroup.
  package var hasWritableCgroups = false
  /// Bytes; a lower memory limit is refused. 0 for none.
  package var minimumMemory: Int64 = 0
  /// Its containers are virtual machines.
  package var isMachine = false
  /// Its containers are run by another's shim: what that can do is not known.
  package var isForeign = false
  /// Its guests pull images by themselves: the shim is told of each container's.
  package var guestsPull = false
  /// Its pods have a container that stands for the pod itself, as another's shims want.
  package var hasInfraContainer = false
  /// Processes that an exec starts keep to the first processor of those that the container is bound to.
  package var execsOnFirstProcessor = false
  /// What RuntimeDefault means in its pods, where that is not what it means on the node.
  package var seccomp: SeccompProfile?
  /// For the runtime, where neither pod nor container has them.
  package var defaultAnnotations: [String: String] = [:]
  /// Where the specs of its containers begin.
  package var base: BaseSpec?

  package init() {}
}
