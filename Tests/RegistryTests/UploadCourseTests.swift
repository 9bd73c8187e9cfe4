import Core
import Testing

@testable import Registry

/// How a blob's upload goes on after what can happen to it.
@Suite struct UploadCourseTests {
  private static let megabyte: Int64 = 1 << 20

  private static func course(_ size: Int64) -> UploadCourse {
    var policy = TransferPolicy()
    policy.backoffBase = .zero
    policy.backoffCap = .zero
    return UploadCourse(size: size, policy: policy)
  }

  /// The next step that is not a pause.
  private static func step(_ course: inout UploadCourse) -> UploadCourse.Step {
    while true { if case let step = course.next(), step != .wait(.zero) { return step } }
  }

  @Test func `at first all goes in one request`() {
    var course = Self.course(100 * Self.megabyte)
    #expect(course.next() == .begin)
    course.began(minimum: nil)
    #expect(course.next() == .whole)
  }

  @Test func `after a break it goes on where the registry stands`() {
    var course = Self.course(100 * Self.megabyte)
    course.began(minimum: nil)
    course.broke(sent: 50 * Self.megabyte, retryAfter: nil)
    #expect(Self.step(&course) == .inquire)
    course.stands(at: 40 * Self.megabyte)
    #expect(course.next() == .chunk(from: 40 * Self.megabyte, count: 60 * Self.megabyte))
    course.stands(at: 100 * Self.megabyte)
    #expect(course.next() == .close)
  }

  @Test func `where the session is lost, chunks get half as large as what broke`() {
    var course = Self.course(100 * Self.megabyte)
    course.began(minimum: nil)
    course.broke(sent: 6 * Self.megabyte, retryAfter: nil)
    #expect(Self.step(&course) == .inquire)
    course.lost()
    #expect(course.next() == .begin)
    course.began(minimum: nil)
    #expect(course.next() == .chunk(from: 0, count: 3 * Self.megabyte))
    course.stands(at: 3 * Self.megabyte)
    course.broke(sent: 2 * Self.megabyte, retryAfter: nil)
    #expect(Self.step(&course) == .inquire)
    course.lost()
    course.began(minimum: nil)
    #expect(course.next() == .chunk(from: 0, count: Self.megabyte))
  }

  @Test func `no chunk is smaller than the registry wants`() {
    var course = Self.course(100 * Self.megabyte)
    course.began(minimum: nil)
    course.broke(sent: Self.megabyte, retryAfter: nil)
    _ = Self.step(&course)
    course.lost()
    course.began(minimum: 5 * Self.megabyte)
    #expect(course.next() == .chunk(from: 0, count: 5 * Self.megabyte))
  }

  @Test func `a registry that has less than it said is believed`() {
    var course = Self.course(100 * Self.megabyte)
    course.began(minimum: nil)
    course.broke(sent: 8 * Self.megabyte, retryAfter: nil)
    _ = Self.step(&course)
    course.stands(at: 8 * Self.megabyte)
    #expect(course.next() == .chunk(from: 8 * Self.megabyte, count: 64 * Self.megabyte))
    course.stands(at: 10 * Self.megabyte)
    #expect(course.next() == .chunk(from: 10 * Self.megabyte, count: 64 * Self.megabyte))
    course.stands(at: 101 * Self.megabyte)
    #expect(course.next() == .begin)
  }

  @Test func `too large a request is cut down until it is taken, not for ever`() {
    var course = Self.course(100 * Self.megabyte)
    course.began(minimum: nil)
    var chunks: [Int64] = []
    while Self.step(&course) != .stop {
      course.tooLarge()
      course.began(minimum: nil)
      if case .chunk(_, let count) = course.next() { chunks.append(count) }
      if chunks.count > 20 { break }
    }
    #expect(chunks.first == 32 * Self.megabyte && chunks.last == UploadCourse.smallestChunk, "\(chunks)")
    #expect(chunks.count < 20)
  }

  @Test func `without progress it ends`() {
    var course = Self.course(Self.megabyte)
    var begun = 0
    while case let step = Self.step(&course), step != .stop {
      switch step {
      case .begin:
        begun += 1
        course.began(minimum: nil)
      case .inquire: course.lost()
      default: course.broke(sent: 0, retryAfter: nil)
      }
      if begun > 100 { break }
    }
    #expect(begun == TransferPolicy().resumes)
  }

  @Test func `what a session's Range header says`() {
    #expect(UploadRange.end("0-1023") == 1024)
    #expect(UploadRange.end("bytes=0-1023") == 1024)
    #expect(UploadRange.end("0-0") == 0)
    for text in ["", "5-10", "0-", "-5", "0--1", "x", "0-9223372036854775807"] { #expect(UploadRange.end(text) == nil, "\(text)") }
  }
}
