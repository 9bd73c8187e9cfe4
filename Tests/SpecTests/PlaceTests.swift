import CRIAPI
import Core
import Spec
import SwiftProtobuf
import Testing

/// What an image has where something of a container is to be.
struct PlaceTests {
  private func fault(_ change: @escaping (inout SpecInputs) -> Void) -> (code: Fault.Code?, message: String) {
    SpecFixture.fault {
      $0.lookups.imagePlaces = { $0.map(Self.place) }
      change(&$0)
    }
  }

  /// An image with /etc/passwd, /bin, and /var/run, which is a symlink to /run, where there is a file `one`.
  private static func place(_ path: String) -> ImagePlace {
    let path = path.hasPrefix("/var/run") ? String(path.dropFirst(4)) : path
    for file in ["/etc/passwd", "/run/one"] {
      if path == file { return ImagePlace(file, .file) }
      if path.hasPrefix(file + "/") { return ImagePlace(file, .obstructed) }
    }
    return ImagePlace(path, ["/bin", "/run", "/etc"].contains(path) ? .directory : .absent)
  }

  @Test func whatIsInTheWayOfAMountIsSaid() {
    let below = fault { $0.mount("/data", "/etc/passwd/x/y") }
    #expect(below.code == .invalidArgument)
    #expect(below.message == "mounts[0] (/etc/passwd/x/y).container_path: /etc/passwd is no directory in the image")
    let over = fault { $0.mount("/data", "/etc/passwd") }
    #expect(over.message.hasSuffix("container_path: /etc/passwd is no directory in the image, and host_path /data is one"))
    let file = fault {
      $0.mount("/data/file", "/bin")
      $0.prepared.hostFiles = ["/data/file"]
    }
    #expect(file.message.hasSuffix("container_path: /bin is a directory in the image, and host_path /data/file is none"))
  }

  @Test func whatFitsIsLeftAlone() {
    let fine = fault {
      for path in ["/bin", "/new/deep", "/run/two", "/var/run/three"] { $0.mount("/data", path) }
      $0.mount("/data/file", "/etc/passwd")
      $0.mount("/data/file", "/bin/new")
      $0.prepared.hostFiles = ["/data/file"]
      $0.container.workingDir = "/made/anew"
    }
    #expect(fine.code == nil, "\(fine.message)")
  }

  @Test func belowAnotherMountTheImageDoesNotMatter() {
    for outer in ["/run", "/var/run"] {
      let fine = fault {
        $0.mount("/volume", outer)
        $0.mount("/data", "/var/run/one/deep")
      }
      #expect(fine.code == nil, "\(outer): \(fine.message)")
    }
  }

  @Test func whatIsMountedAsAFileIsInTheWayAsTheImagesOwn() {
    let own = fault {
      $0.node.defaults.addsUsers = true
      $0.prepared.ownFiles = "/bundle"
      $0.runAs(4711)
      $0.mount("/data", "/etc/passwd/x")
    }
    #expect(own.message.hasSuffix("/etc/passwd is no directory in the image"), "\(own.message)")
    let asked = fault {
      $0.mount("/data/file", "/etc/passwd")
      $0.mount("/data", "/etc/passwd/x")
      ($0.prepared.hostFiles, $0.prepared.resolved) = (["/data/file"], ["/data/file": "/mnt/file"])
    }
    #expect(asked.message.hasPrefix("mounts[1] (/etc/passwd/x).container_path: "), "\(asked.message)")
  }

  @Test func devicesAndTheWorkingDirectoryToo() {
    let device = fault {
      $0.lookups.devices = { _ in [] }
      $0.container.devices = [.with { ($0.hostPath, $0.containerPath) = ("/dev/zero", "/etc/passwd/zero") }]
    }
    #expect(device.message == "devices[0].container_path: /etc/passwd is no directory in the image")
    for (path, kind) in [("/etc/passwd", "a file"), ("/bin", "a directory")] {
      let taken = fault {
        $0.lookups.devices = { _ in [] }
        $0.container.devices = [.with { ($0.hostPath, $0.containerPath) = ("/dev/zero", path) }]
      }
      #expect(taken.message == "devices[0].container_path: \(path) is \(kind) in the image")
    }
    let directory = fault { $0.container.workingDir = "/etc/passwd" }
    #expect(directory.message == "working_dir: /etc/passwd is no directory in the image")
    #expect(directory.code == .invalidArgument)
  }
}
