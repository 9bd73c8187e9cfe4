import Core
import Testing

struct ExperimentalAnnotationTests {
  @Test func `an annotation counts where it is allowed, by either name`() {
    let annotations = ["io.kubernetes.cri-o.umask": "077"]
    #expect(AllowedAnnotations().find(.umask, in: annotations) == nil)
    for name in ["umask.crio.io", "io.kubernetes.cri-o.umask"] {
      let found = AllowedAnnotations([name, "no.such"]).find(.umask, in: annotations)
      #expect(found?.name == "io.kubernetes.cri-o.umask" && found?.value == "077")
    }
  }

  @Test func `what is said of one container comes before what is said of the pod, and new names before old ones`() {
    let allowed = AllowedAnnotations(["umask.crio.io"])
    var annotations = ["io.kubernetes.cri-o.umask": "1", "umask.crio.io": "2"]
    #expect(allowed.find(.umask, in: annotations, suffix: "main")?.value == "2")
    annotations["io.kubernetes.cri-o.umask.main"] = "3"
    #expect(allowed.find(.umask, in: annotations, suffix: "main")?.value == "3")
    annotations["io.kubernetes.cri-o.umask/main"] = "4"
    #expect(allowed.find(.umask, in: annotations, suffix: "main")?.value == "4")
    annotations["umask.crio.io/main"] = "5"
    #expect(allowed.find(.umask, in: annotations, suffix: "main")?.value == "5")
    #expect(allowed.find(.umask, in: annotations, suffix: "other")?.value == "2")
  }

  @Test func `what is not allowed is told`() {
    let annotations = ["umask.crio.io/main": "1", "io.kubernetes.cri-o.umask": "2", "umask.crio.io.example": "3", "other": "4"]
    #expect(AllowedAnnotations().refused(in: annotations) == ["io.kubernetes.cri-o.umask", "umask.crio.io/main"])
    let allowed = AllowedAnnotations().union(AllowedAnnotations(["umask.crio.io"]))
    #expect(allowed.refused(in: annotations).isEmpty && allowed.contains(.umask))
  }
}
