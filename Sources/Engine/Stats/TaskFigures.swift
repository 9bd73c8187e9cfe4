import Core
import Linux

/// What one file of a cgroup says, and what that is called.
struct TaskFigures: Sendable {
  /// A number with the labels that come after the container's, for the measure at an index of ``measures``.
  typealias Value = (measure: Int, labels: [String], value: Double)

  let measures: [Measure]
  /// The first that has something counts.
  private let files: [String]
  private let values: @Sendable ([UInt8]) -> [Value]

  /// Of the group in `directory`; empty for a file that this kernel does not have.
  func read(_ directory: String) -> [Value] {
    for file in files {
      guard let text = KernelText.read("\(directory)/\(file)"), !text.isEmpty else { continue }
      return values(text)
    }
    return []
  }

  /// containerd's names: what is counted and its unit.
  private static func measure(_ name: String, _ unit: String, _ labels: [String] = [], _ kind: Measure.Kind = .gauge) -> Measure {
    Measure(
      "container_\(name)_\(unit)", kind, "Of the container's cgroup, as the kernel counts it.",
      labels: ["container_id", "namespace"] + labels)
  }

  /// A file with one number. `max` stands for the word.
  static func number(_ file: String, _ name: String, _ unit: String = "bytes", max: UInt64 = .max) -> TaskFigures {
    TaskFigures(measures: [measure(name, unit)], files: [file]) { text in
      guard let number = KernelText.number(text[...]) ?? (text.starts(with: Array("max".utf8)) ? max : nil) else { return [] }
      return [(0, [], Double(number))]
    }
  }

  /// A file of lines `key value`.
  /// - Parameter scale: what one of the file's units is of the measure's.
  static func keys(
    _ file: String, _ keys: [(key: StaticString, name: String, unit: String)], scale: Double = 1, _ kind: Measure.Kind = .gauge
  )
    -> TaskFigures
  {
    let names = keys.map(\.key)
    return TaskFigures(measures: keys.map { measure($0.name, $0.unit, [], kind) }, files: [file]) { text in
      KernelText.values(names, in: text).enumerated().compactMap { index, value in value.map { (index, [], Double($0) * scale) } }
    }
  }

  /// `memory.stat`, where the names are those of the file.
  static func memory(_ keys: [StaticString]) -> TaskFigures {
    Self.keys("memory.stat", keys.map { ($0, "memory_\($0)", "bytes") })
  }

  /// A key that newer kernels split by kind of page: of it, or of both.
  static func memory(_ key: StaticString, orBoth parts: [StaticString]) -> TaskFigures {
    TaskFigures(measures: [measure("memory_\(key)", "bytes")], files: ["memory.stat"]) { text in
      let found = KernelText.values([key] + parts, in: text)
      let sum = found.dropFirst().compactMap { $0 }
      guard let value = found[0] ?? (sum.isEmpty ? nil : sum.reduce(0, +)) else { return [] }
      return [(0, [], Double(value))]
    }
  }

  /// One number for each processor.
  static func processors(_ file: String, _ name: String, _ unit: String) -> TaskFigures {
    TaskFigures(measures: [measure(name, unit, ["cpu"])], files: [file]) { text in
      KernelText.fields(text.filter { $0 != 0x0A }[...]).enumerated().compactMap { index, field in
        KernelText.number(field).map { (0, ["\(index)"], Double($0)) }
      }
    }
  }

  /// v1's `8:0 Read 100`, and `8:0 100` where it does not tell operations apart. Which scheduler counts differs from kernel to kernel.
  static func operations(_ name: String, _ unit: String, files: [String]) -> TaskFigures {
    TaskFigures(measures: [measure(name, unit, ["op", "device", "major", "minor"])], files: files) { text in
      var values: [Value] = []
      KernelText.forEachLine(text) { line in
        let fields = KernelText.fields(line)
        guard fields.count > 1, let device = IOCounters.device(fields[0]), let value = fields.last.flatMap({ KernelText.number($0) }) else {
          return
        }
        let operation = fields.count > 2 ? String(decoding: fields[1], as: UTF8.self) : ""
        values.append((0, [operation, BlockDevice.name(device), "\(device.major)", "\(device.minor)"], Double(value)))
      }
      return values
    }
  }

  /// v2's `8:0 rbytes=1 wbytes=2 …`.
  static let unifiedIO = TaskFigures(
    measures: [("io_rbytes", "bytes"), ("io_wbytes", "bytes"), ("io_rios", "total"), ("io_wios", "total")].map {
      measure($0.0, $0.1, ["major", "minor"])
    }, files: ["io.stat"]
  ) { text in
    IOCounters.unified(text).flatMap { counters -> [Value] in
      let labels = ["\(counters.device.major)", "\(counters.device.minor)"]
      return [counters.readBytes, counters.writtenBytes, counters.reads, counters.writes].enumerated().map { ($0, labels, Double($1)) }
    }
  }

  /// Of v1, for each size of huge pages.
  static let hugepages: [TaskFigures] = HugepageCounters.sizes.flatMap { size in
    [("hugetlb_usage", "bytes", "usage_in_bytes"), ("hugetlb_failcnt", "total", "failcnt"), ("hugetlb_max", "bytes", "max_usage_in_bytes")]
      .map {
        name, unit, file in
        TaskFigures(measures: [measure(name, unit, ["page"])], files: ["hugetlb.\(size).\(file)"]) { text in
          KernelText.number(text[...]).map { [(0, [size], Double($0))] } ?? []
        }
      }
  }

  private init(measures: [Measure], files: [String], _ values: @escaping @Sendable ([UInt8]) -> [Value]) {
    (self.measures, self.files, self.values) = (measures, files, values)
  }
}
