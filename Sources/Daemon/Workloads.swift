import Core
import Engine
import Settings
import Spec

extension Configuration {
  /// `[workloads]` as the engine takes them. INVALID_ARGUMENT for an annotation that nothing is known of.
  func engineWorkloads() throws(Fault) -> [Engine.Workload] {
    var result: [Engine.Workload] = []
    for (name, workload) in workloads.sorted(by: { $0.key < $1.key }) {
      let allowed = try stage("workloads.\(name).allowed_annotations") { try AllowedAnnotations(workload.allowedAnnotations) }
      result.append(
        Engine.Workload(
          name: name, activation: workload.activation, prefix: workload.prefix, allowed: allowed, standard: workload.resources))
    }
    return result
  }
}

extension Configuration.Workload {
  fileprivate var resources: Engine.Workload.Resources {
    var resources = Engine.Workload.Resources()
    (resources.cpushares, resources.cpuquota, resources.cpuperiod) = (Int64(shares), Int64(quota), Int64(period))
    (resources.cpulimit, resources.cpuset) = (Int64(limit), processors)
    return resources
  }
}
