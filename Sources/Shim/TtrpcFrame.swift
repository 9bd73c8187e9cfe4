/// The 10-byte header of a ttrpc frame: length and stream big-endian, type, flags.
struct TtrpcHeader {
  static let size = 10
  /// A frame's data; larger ones are read past and refused.
  static let limit = 4 << 20
  static let request: UInt8 = 1
  static let response: UInt8 = 2

  let length: Int
  let stream: UInt32
  let type: UInt8

  init(_ bytes: ArraySlice<UInt8>) {
    let start = bytes.startIndex
    length = Int(Self.word(bytes, start))
    stream = Self.word(bytes, start + 4)
    type = bytes[start + 8]
  }

  private static func word(_ bytes: ArraySlice<UInt8>, _ at: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 << 8 | UInt32(bytes[at + $1]) }
  }

  static func response(stream: UInt32, _ data: Bytes) -> Bytes {
    var frame = Bytes()
    frame.reserveCapacity(size + data.count)
    for word in [UInt32(truncatingIfNeeded: data.count), stream] {
      for shift in [24, 16, 8, 0] as [UInt32] { frame.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
    return frame + [response, 0] + data
  }
}

/// The envelope of a request.
struct TtrpcRequest {
  var service = Bytes()
  var method = Bytes()
  var payload = Bytes()

  init(_ data: Bytes) throws(Malformed) {
    var reader = ProtobufReader(data)
    while let field = try reader.next() {
      switch field.number {
      case 1: service = field.bytes
      case 2: method = field.bytes
      case 3: payload = field.bytes
      default: break
      }
    }
  }
}

/// gRPC codes, as far as the shim uses them.
enum Code: Int32 {
  case unknown = 2
  case invalidArgument = 3
  case notFound = 5
  case alreadyExists = 6
  case resourceExhausted = 8
  case failedPrecondition = 9
  case unimplemented = 12
  case `internal` = 13
}

/// An answer that is an error.
struct Failure: Error {
  let code: Code
  let message: Bytes

  init(_ code: Code, _ message: Bytes) {
    self.code = code
    self.message = message
  }

  init(_ code: Code, _ message: StaticString) { self.init(code, Bytes(message)) }

  static let malformed = Failure(.invalidArgument, "the request's payload is no such message")
}

/// The envelope of an answer.
enum TtrpcResponse {
  static func success(_ payload: Bytes) -> Bytes {
    var writer = ProtobufWriter()
    writer.put(2, payload)
    return writer.bytes
  }

  static func failure(_ failure: Failure) -> Bytes {
    var status = ProtobufWriter()
    status.put(1, failure.code.rawValue)
    status.put(2, Bytes(failure.message.prefix(64 << 10)).utf8Text)
    var writer = ProtobufWriter()
    writer.message(1, status.bytes)
    return writer.bytes
  }
}
