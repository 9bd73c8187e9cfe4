import Core
import FoundationEssentials
import SwiftProtobuf

extension OTLPExportRequest {
  init(_ spans: [SpanRecord], resource: [TraceHeader]) {
    var scope = OTLPScopeSpans()
    scope.scope.name = "berth"
    scope.scope.version = Release.version
    scope.spans = spans.map(OTLPSpan.init)
    var resourceSpans = OTLPResourceSpans()
    resourceSpans.resource.attributes = resource.map { OTLPAttribute($0.name, .string($0.value)) }
    resourceSpans.scopeSpans = [scope]
    self.init()
    self.resourceSpans = [resourceSpans]
  }
}

extension OTLPSpan {
  fileprivate init(_ record: SpanRecord) {
    self.init()
    traceID = Data(record.context.trace.bytes)
    spanID = Data(record.context.span.bytes)
    traceState = record.context.state
    if let parent = record.parent { parentSpanID = Data(parent.bytes) }
    (name, kind) = (record.name, Int32(record.kind.rawValue))
    (startTime, endTime) = (UInt64(clamping: record.start), UInt64(clamping: record.end))
    (attributes, droppedAttributes) = (record.attributes.encoded, record.attributes.dropped)
    (events, droppedEvents) = (record.events.map(OTLPEvent.init), record.droppedEvents)
    (links, droppedLinks) = (record.links.map(OTLPLink.init), record.droppedLinks)
    if let failure = record.failure {
      status.code = 2
      status.message = failure
    }
    flags = record.context.flags | (record.hasRemoteParent ? 0x300 : 0x100)
  }
}

extension OTLPEvent {
  fileprivate init(_ event: SpanRecord.Event) {
    self.init()
    (time, name) = (UInt64(clamping: event.time), event.name)
    (attributes, droppedAttributes) = (event.attributes.encoded, event.attributes.dropped)
  }
}

extension OTLPLink {
  fileprivate init(_ link: SpanRecord.Link) {
    self.init()
    traceID = Data(link.context.trace.bytes)
    spanID = Data(link.context.span.bytes)
    traceState = link.context.state
    (attributes, droppedAttributes) = (link.attributes.encoded, link.attributes.dropped)
    flags = link.context.flags
  }
}

extension SpanAttributes {
  fileprivate var encoded: [OTLPAttribute] { list.map { OTLPAttribute($0.key, $0.value) } }
}

extension OTLPAttribute {
  fileprivate init(_ key: String, _ content: SpanAttributes.Content) {
    self.init()
    self.key = key
    switch content {
    case .string(let text): value.text = text
    case .int(let number): value.number = number
    case .bool(let flag): value.flag = flag
    }
  }
}
