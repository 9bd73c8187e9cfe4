extension Configuration {
  /// `[images]`
  package struct Images: Equatable, Sendable {
    /// Key `max_parallel_downloads`: layers that one pull fetches at a time.
    package var maximumParallelDownloads = 4
    /// Key `keep_layer_blobs`: compressed layers stay beside the unpacked ones.
    package var keepLayerBlobs = false
    /// Key `pinned`: images that the kubelet is to keep, by name; `*` stands for any text.
    package var pinned: [String] = []
    package var limits = Limits()
    /// Key `verifier_dir`: programs that are asked about every image (containerd's image verifiers); empty for none.
    package var verifierDirectory = "/opt/containerd/image-verifier/bin"
    /// Key `verifier_timeout`: how long each of them may take.
    package var verifierTimeout = Duration.seconds(10)
    /// Key `verifier_recheck`: when they are asked again before a container is made: `never`, `changed`, `always`, or after a duration.
    package var verifierRecheck = "changed"

    /// `[images.limits]`: what a layer may ask of the node at most.
    package struct Limits: Equatable, Sendable {
      /// Key `max_entries`: files, directories and links of one layer.
      package var entries = 1_000_000
      /// Key `max_layer_size`: bytes of one layer, unpacked.
      package var layerSize = 1 << 40
      /// Key `max_file_size`: bytes of one file, holes included.
      package var fileSize = 1 << 40
      /// Key `max_expansion`: how many times its packed size a layer may have, once it is larger than 256 MiB.
      package var expansion = 2000
      /// Key `max_depth`: directories above each other.
      package var depth = 256
      /// Key `max_path_length`: bytes of a path; Linux takes no more than 4095.
      package var pathLength = 4095
      /// Key `max_name_length`: bytes of one name in it; Linux's filesystems take no more than 255.
      package var nameLength = 255
      /// Key `max_xattrs`: extended attributes of one entry.
      package var attributes = 100
      /// Key `max_xattr_size`: bytes of one of them; Linux takes no more than 65536.
      package var attributeSize = 64 << 10
    }
  }
}

extension Configuration.Images {
  mutating func apply(_ table: inout TableReader) throws(SettingsError) {
    try table.set(&maximumParallelDownloads, "max_parallel_downloads", check: Check.range(1...64))
    try table.set(&keepLayerBlobs, "keep_layer_blobs")
    try table.set(&pinned, "pinned")
    try table.set(&verifierDirectory, "verifier_dir") { $0.isEmpty ? nil : Check.absolute($0) }
    try table.set(&verifierRecheck, "verifier_recheck", check: Check.recheck)
    try table.set(&verifierTimeout, "verifier_timeout", check: Check.duration(.milliseconds(100) ... .seconds(3600)))
    try table.within("limits") { (table) throws(SettingsError) in
      try table.set(&limits.entries, "max_entries", check: Check.range(1...(1 << 30)))
      try table.set(&limits.layerSize, "max_layer_size", check: Check.range(1...(1 << 60)))
      try table.set(&limits.fileSize, "max_file_size", check: Check.range(1...(1 << 60)))
      try table.set(&limits.expansion, "max_expansion", check: Check.range(1...(1 << 30)))
      try table.set(&limits.depth, "max_depth", check: Check.range(1...256))
      try table.set(&limits.pathLength, "max_path_length", check: Check.range(1...4095))
      try table.set(&limits.nameLength, "max_name_length", check: Check.range(1...255))
      try table.set(&limits.attributes, "max_xattrs", check: Check.range(0...65536))
      try table.set(&limits.attributeSize, "max_xattr_size", check: Check.range(0...65536))
    }
  }
}
