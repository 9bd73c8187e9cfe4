// swift-tools-version: 6.2
// The target graph is the architecture: a module may import only what is listed for it here (hack/check proves it).
import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"), .treatAllWarnings(as: .error),
]

/// The shim has no Swift runtime and no Foundation: tens of kilobytes a pod.
/// `-no-static-stdlib` here and at its link step keeps `--static-swift-stdlib` usable for the rest of the package.
let embedded: [SwiftSetting] =
  strict + [.enableExperimentalFeature("Embedded"), .unsafeFlags(["-wmo", "-Osize", "-no-static-stdlib"])]

let cStrict: [CSetting] = [.enableWarning("all"), .treatAllWarnings(as: .error)]

extension Target.Dependency {
  static let nioCore = product(name: "NIOCore", package: "swift-nio")
  static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
  static let nioEmbedded = product(name: "NIOEmbedded", package: "swift-nio")
  static let nioHTTP1 = product(name: "NIOHTTP1", package: "swift-nio")
  static let asyncHTTPClient = product(name: "AsyncHTTPClient", package: "async-http-client")
  static let nioSSL = product(name: "NIOSSL", package: "swift-nio-ssl")
  static let protobuf = product(name: "SwiftProtobuf", package: "swift-protobuf")
  static let toml = product(name: "TOMLKit", package: "TOMLKit")
  static let arguments = product(name: "ArgumentParser", package: "swift-argument-parser")
  static let logging = product(name: "Logging", package: "swift-log")
}

func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name + "Tests", dependencies: dependencies, swiftSettings: strict)
}

/// Nothing loads a program's symbols at run time: without the table the linker may drop what nobody calls.
func program(_ name: String, folder: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies, path: "Sources/" + folder, swiftSettings: strict,
    linkerSettings: [.unsafeFlags(["-Xlinker", "--no-export-dynamic"], .when(configuration: .release))])
}

func cLibrary(_ name: String, _ pkgConfig: String?, apt: String) -> Target {
  .systemLibrary(name: name, path: "Sources/C/" + name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

let cTargets: [Target] = [
  // No unwind tables: nothing throws through C, and in the shim every page counts, and so does every byte: what a program does not call is not in it.
  .target(
    name: "CLinux", path: "Sources/C/CLinux",
    cSettings: cStrict + [
      .unsafeFlags(["-fno-asynchronous-unwind-tables", "-ffunction-sections"]), .unsafeFlags(["-Os"], .when(configuration: .release)),
    ]),
  cLibrary("CNghttp2", "libnghttp2", apt: "libnghttp2-dev"),
  cLibrary("COpenSSL", "libcrypto", apt: "libssl-dev"),
  cLibrary("CArchive", nil, apt: "libarchive-dev"),
  cLibrary("CMalloc", nil, apt: "libc6-dev"),
  cLibrary("CZlib", "zlib", apt: "zlib1g-dev"),
  cLibrary("CISAL", "libisal", apt: "libisal-dev"),
  cLibrary("CSeccomp", "libseccomp", apt: "libseccomp-dev"),
  cLibrary("CSQLite", "sqlite3", apt: "libsqlite3-dev"),
  cLibrary("CYAML", nil, apt: "libyaml-dev"),
]

let foundation: [Target] = [
  module("Linux", ["CLinux"]),
  module("OCI", ["COpenSSL"]),
  module("YAML", ["CYAML"]),
  module("CRIAPI", [.protobuf]),
  module("BerthAPI", [.protobuf]),
  module("ContainerdAPI", [.protobuf]),
  module("Core", ["OCI", "Linux"]),
]

let transports: [Target] = [
  module("HTTP2", ["CNghttp2", .nioCore, .logging]),
  module("GRPC", ["HTTP2", "Linux", .nioCore, .nioPosix, .protobuf, .logging]),
  module("ShimAPI", [.protobuf]),
  module("TTRPC", ["ShimAPI", "Linux", .nioCore, .nioPosix, .protobuf]),
]

let implementations: [Target] = [
  module("Settings", ["Core", "OCI", "Linux", .toml]),
  module("Metadata", ["CSQLite", "Core", "Linux", .logging]),
  module("Registry", ["Core", "OCI", "Linux", .asyncHTTPClient, .nioCore, .nioHTTP1, .nioSSL, .nioPosix, .logging]),
  module("Content", ["Core", "OCI", "Linux", "COpenSSL", "CArchive", "CISAL", "CZlib", .logging]),
  module("Snapshots", ["Core", "OCI", "Linux", .logging]),
  module("Tasks", ["Core", "OCI", "Linux", "ShimAPI", "TTRPC", .protobuf, .logging]),
  module("CNI", ["Core", "Linux", .logging]),
  module("Traces", ["Core", "Linux", "GRPC", "CZlib", .asyncHTTPClient, .nioCore, .nioHTTP1, .nioSSL, .protobuf, .logging]),
  module("Spec", ["Core", "OCI", "Linux", "CRIAPI", "YAML", "CSeccomp"]),
]

let surfaces: [Target] = [
  module("WebSocket", ["COpenSSL", .nioCore]),
  module("Engine", ["Core", "OCI", "Linux", "CRIAPI", "ContainerdAPI", "Spec", .protobuf, .logging]),
  module("Streaming", ["Core", "Linux", "CZlib", "WebSocket", .nioCore, .nioPosix, .nioSSL, .logging]),
  module("CRIService", ["Core", "OCI", "Linux", "CRIAPI", "BerthAPI", "Engine", "Spec", "GRPC", .protobuf, .logging]),
  module("ContainerdService", ["Core", "Linux", "ContainerdAPI", "Engine", "GRPC", "TTRPC", .protobuf, .logging]),
  program(
    "berthd", folder: "Daemon",
    [
      "Core", "OCI", "Linux", "CRIAPI", "Settings", "Metadata", "Registry", "Content", "Snapshots", "Tasks", "CNI", "Spec",
      "Engine", "CRIService", "ContainerdService", "Streaming", "Traces", "GRPC", "TTRPC", "BerthAPI", "CMalloc", .nioPosix, .nioCore,
      .protobuf, .arguments, .logging,
    ]),
  program(
    "berth", folder: "CLI",
    [
      "Core", "OCI", "Linux", "CRIAPI", "BerthAPI", "ContainerdAPI", "Settings", "GRPC", "WebSocket", "CZlib", .nioPosix, .nioCore, .nioSSL,
      .protobuf,
      .arguments, .logging,
    ]),
]

let shim: [Target] = [
  .executableTarget(
    name: "berth-shim", dependencies: ["CLinux"], path: "Sources/Shim", swiftSettings: embedded,
    linkerSettings: [.unsafeFlags(["-no-static-stdlib"])]),
  // One process a container in a pod of a foreign shim: as small as berth-shim, and made of the same files where their work is the same.
  .executableTarget(
    name: "berth-runtime", dependencies: ["CLinux"], path: "Sources/Runtime", swiftSettings: embedded,
    linkerSettings: [.unsafeFlags(["-no-static-stdlib"])]),
]

/// Alone in its container's root filesystem: no libc, no Swift, no loader.
let pause: [Target] = [
  .executableTarget(
    name: "berth-pause", path: "Sources/Pause",
    cSettings: cStrict + [
      .unsafeFlags(["-ffreestanding", "-fno-pic", "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-Os"])
    ],
    linkerSettings: [
      .unsafeFlags(["-enable-experimental-feature", "Embedded", "-no-static-stdlib"]),
      .unsafeFlags(["-nostdlib", "-static", "-no-pie"].flatMap { ["-Xclang-linker", $0] }),
    ])
]

let testTargets: [Target] = [
  .target(
    name: "Support",
    dependencies: [
      "CLinux", "Core", "OCI", "Linux", "CRIAPI", "GRPC", .nioCore, .nioPosix, .nioHTTP1, .nioSSL, .protobuf, .logging,
    ],
    path: "Tests/Support", swiftSettings: strict),
  tests("Linux", ["CLinux", "Linux", "Support"]),
  tests("OCI", ["OCI", "Support"]),
  tests("YAML", ["YAML"]),
  tests("Core", ["Core", "OCI", "Linux", "Support"]),
  tests("CRIAPI", ["CRIAPI", "Linux", "Support", .protobuf]),
  tests(
    "CLI",
    [
      "berth", "CRIAPI", "BerthAPI", "ContainerdAPI", "Core", "Linux", "Streaming", "WebSocket", "Support", .nioCore, .nioPosix, .protobuf,
      .arguments,
      .logging,
    ]),
  tests("HTTP2", ["HTTP2", "Support", .nioCore, .nioEmbedded, .logging]),
  tests("GRPC", ["GRPC", "HTTP2", "Linux", "Support", .nioCore, .nioPosix, .protobuf, .logging]),
  tests("TTRPC", ["CLinux", "TTRPC", "ShimAPI", "Linux", "Support", .nioCore, .nioPosix, .protobuf]),
  tests("Shim", ["CLinux", "ShimAPI", "TTRPC", "Linux", "Core", "Support", .nioCore, .nioPosix, .protobuf]),
  tests("Settings", ["Settings", "Core", "OCI", "Linux", "Support"]),
  tests("Metadata", ["Metadata", "Core", "Linux", "Support", .logging]),
  tests("Registry", ["Registry", "Settings", "Core", "OCI", "Linux", "Support", .nioCore, .nioPosix, .nioHTTP1, .nioSSL, .logging]),
  tests("Content", ["Content", "Core", "OCI", "Linux", "Support", .logging]),
  tests("Snapshots", ["Snapshots", "Core", "OCI", "Linux", "Support", .logging]),
  tests("Tasks", ["CLinux", "Tasks", "Core", "OCI", "Linux", "ShimAPI", "TTRPC", "Support", .protobuf, .logging]),
  tests("CNI", ["CNI", "Core", "Linux", "Support", .logging]),
  tests("Traces", ["Traces", "Core", "Linux", "GRPC", "Support", .nioCore, .nioPosix, .nioHTTP1, .nioSSL, .protobuf, .logging]),
  tests("Spec", ["Spec", "Core", "OCI", "Linux", "CRIAPI", "Support", .protobuf]),
  tests("Engine", ["CLinux", "Engine", "Core", "OCI", "Linux", "CRIAPI", "ContainerdAPI", "Spec", "Support", .protobuf, .logging]),
  tests(
    "ContainerdService", ["ContainerdService", "ContainerdAPI", "Engine", "Core", "Linux", "GRPC", "TTRPC", "Support", .protobuf, .logging]),
  tests("CRIService", ["CRIService", "Engine", "Core", "OCI", "CRIAPI", "GRPC", "Support", .nioCore, .protobuf, .logging]),
  tests("Streaming", ["Streaming", "WebSocket", "CLinux", "Core", "Linux", "CZlib", "Support", .nioCore, .nioPosix, .nioSSL, .logging]),
  tests(
    "Integration",
    [
      "Core", "OCI", "Linux", "CRIAPI", "BerthAPI", "ContainerdAPI", "GRPC", "Streaming", "ShimAPI", "TTRPC", "Support", .nioCore,
      .nioPosix,
      .nioHTTP1, .nioSSL, .protobuf,
      .logging,
    ]),
]

let package = Package(
  name: "berth",
  products: [
    .executable(name: "berthd", targets: ["berthd"]), .executable(name: "berth", targets: ["berth"]),
    .executable(name: "berth-shim", targets: ["berth-shim"]), .executable(name: "berth-runtime", targets: ["berth-runtime"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
  ],
  targets: cTargets + foundation + transports + implementations + surfaces + shim + pause + testTargets,
  cLanguageStandard: .gnu17
)
