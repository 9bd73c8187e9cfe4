/// The version of this build, as `berth version`, the CRI and the registry's user agent name it.
package enum BerthVersion {
  package static let current = "0.1.0"
}
