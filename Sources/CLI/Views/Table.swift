/// Rows under headings, each column as wide as its widest cell.
struct Table: Equatable {
  let headings: [String]
  var rows: [[String]]

  init(_ headings: String..., rows: [[String]] = []) {
    self.headings = headings
    self.rows = rows
  }

  /// Without trailing spaces and without a final line break.
  var text: String {
    let lines = [headings] + rows
    let widths = headings.indices.map { column in lines.map { $0[column].unicodeScalars.count }.max() ?? 0 }
    return lines.map { line($0, widths) }.joined(separator: "\n")
  }

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    var text = ""
    for (index, cell) in cells.enumerated() {
      text += cell
      if index < cells.count - 1 { text += String(repeating: " ", count: widths[index] - cell.unicodeScalars.count + 3) }
    }
    while text.last == " " { text.removeLast() }
    return text
  }
}
