import COpenSSL

/// Hashes content piece by piece, through OpenSSL (which uses the CPU's SHA instructions where there are any).
/// `finish` gives the digest and leaves the hasher ready for new content.
///
/// `@unchecked Sendable`: the context has exactly one owner, and OpenSSL does not care which thread uses it.
package struct ContentHasher: ~Copyable, @unchecked Sendable {
  private let context: OpaquePointer
  package let algorithm: Digest.Algorithm

  package init(_ algorithm: Digest.Algorithm = .sha256) {
    guard let context = EVP_MD_CTX_new() else { preconditionFailure("out of memory for a hash context") }
    self.context = context
    self.algorithm = algorithm
    start()
  }

  deinit { EVP_MD_CTX_free(context) }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    precondition(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1, "EVP_DigestUpdate failed")
  }

  package mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

  package mutating func update(_ bytes: ArraySlice<UInt8>) { bytes.withUnsafeBytes { update($0) } }

  /// The digest of all that was given since the beginning or the last `finish`.
  package mutating func finish() -> Digest {
    var sum = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var length: UInt32 = 0
    precondition(EVP_DigestFinal_ex(context, &sum, &length) == 1, "EVP_DigestFinal_ex failed")
    start()
    return Digest(algorithm: algorithm, sum: sum[..<Int(length)])
  }

  private func start() {
    let method = algorithm == .sha256 ? EVP_sha256() : EVP_sha512()
    precondition(EVP_DigestInit_ex(context, method, nil) == 1, "this OpenSSL has no \(algorithm.rawValue)")
  }
}

extension Digest {
  /// From a hash's raw bytes.
  init(algorithm: Algorithm, sum: ArraySlice<UInt8>) {
    let digits = Array("0123456789abcdef".utf8)
    var hex: [UInt8] = []
    hex.reserveCapacity(sum.count * 2)
    for byte in sum { hex += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
    self.init(algorithm: algorithm, hex: String(decoding: hex, as: UTF8.self))
  }

  package static func sha256(of bytes: [UInt8]) -> Digest { of(bytes, .sha256) }

  package static func of(_ bytes: [UInt8], _ algorithm: Algorithm) -> Digest {
    var hasher = ContentHasher(algorithm)
    hasher.update(bytes)
    return hasher.finish()
  }

  /// Whether `bytes` are what this digest names.
  package func matches(_ bytes: [UInt8]) -> Bool { Digest.of(bytes, algorithm) == self }
}
