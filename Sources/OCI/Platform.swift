/// What an image runs on (OCI image spec, image-index.md "platform"). Written as `os/architecture[/variant]`.
package struct Platform: Hashable, Sendable, Codable, CustomStringConvertible {
  package var os: String
  package var architecture: String
  package var variant: String?

  package init(os: String, architecture: String, variant: String? = nil) {
    self.os = os
    self.architecture = architecture
    self.variant = variant
  }

  /// `os/architecture[/variant]`; nil for anything else.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 || parts.count == 3, !parts.contains("") else { return nil }
    self.init(os: parts[0], architecture: parts[1], variant: parts.count == 3 ? parts[2] : nil)
  }

  package init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    os = try values.decodeIfPresent(String.self, forKey: .os) ?? ""
    architecture = try values.decodeIfPresent(String.self, forKey: .architecture) ?? ""
    variant = try values.decodeIfPresent(String.self, forKey: .variant)
  }

  package var description: String { "\(os)/\(architecture)" + (variant.map { $0.isEmpty ? "" : "/" + $0 } ?? "") }

  /// What this program was compiled for.
  package static var host: Platform {
    #if arch(x86_64)
      Platform(os: "linux", architecture: "amd64")
    #elseif arch(arm64)
      Platform(os: "linux", architecture: "arm64", variant: "v8")
    #elseif arch(arm)
      Platform(os: "linux", architecture: "arm", variant: "v7")
    #elseif arch(riscv64)
      Platform(os: "linux", architecture: "riscv64")
    #elseif arch(powerpc64le)
      Platform(os: "linux", architecture: "ppc64le")
    #elseif arch(s390x)
      Platform(os: "linux", architecture: "s390x")
    #else
      #error("no OCI name is known for this architecture")
    #endif
  }
}

/// Ranking of platforms for a host (containerd's `platforms.Only`): the same architecture with the highest variant the host can run,
/// then the 32-bit sibling the kernel also runs.
extension Platform {
  /// How well `candidate` suits a host that is `self`; higher is better, `nil` means that it does not run.
  package func rank(of candidate: Platform) -> Int? {
    let host = normalized
    let other = candidate.normalized
    guard other.os == host.os else { return nil }
    if other.architecture == host.architecture {
      return other.level <= host.level ? 1000 + other.level : nil
    }
    switch (host.architecture, other.architecture) {
    case ("amd64", "386"): return 0
    case ("arm64", "arm"): return other.level <= 80 ? other.level : nil
    default: return nil
    }
  }

  /// Names that other tools use for the same thing, in OCI's spelling (the values of GOOS and GOARCH).
  package var normalized: Platform {
    var result = Platform(os: os.lowercased(), architecture: architecture.lowercased(), variant: variant?.lowercased())
    switch result.architecture {
    case "x86_64", "x86-64": result.architecture = "amd64"
    case "i386", "i686", "x86": result.architecture = "386"
    case "aarch64": result.architecture = "arm64"
    case "armhf": result = Platform(os: result.os, architecture: "arm", variant: "v7")
    case "armel": result = Platform(os: result.os, architecture: "arm", variant: "v6")
    default: break
    }
    return result
  }

  /// The variant times ten (`v8.2` is 82), each architecture's baseline where none is named.
  private var level: Int {
    guard let variant, !variant.isEmpty else { return baseline }
    let parts = variant.drop { $0 == "v" }.split(separator: ".")
    guard let first = parts.first, let major = Int(first), (0...99).contains(major) else { return Int.max / 2 }
    let minor = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    return major * 10 + min(max(minor, 0), 9)
  }

  private var baseline: Int {
    switch architecture {
    case "arm64": 80
    case "arm": 70
    case "amd64": 10
    default: 0
    }
  }
}
