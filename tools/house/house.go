// Package house holds the rules of this repository, as tests: who may import
// whom, which package is the door to each outside library, how long things may
// be, what must be said in comments, how actions are defined.
//
// The tests parse the sources themselves, since the test cache sees the files
// that a test opens but not those that its child processes open. A failure says
// what to do about it.
package house

// report is told of each breach of a rule, in one sentence that says the cure.
type report func(format string, args ...any)

// rules are what the sources are held to; the names are those of the tests.
var rules = map[string]func(all []source, report report){
	"each library has one door":                   eachLibraryHasOneDoor,
	"there is one log":                            thereIsOneLog,
	"tiers meet only in shared":                   tiersMeetOnlyInShared,
	"no room looks upward":                        noRoomLooksUpward,
	"pure packages stay pure":                     purePackagesStayPure,
	"nothing is too long":                         nothingIsTooLong,
	"every package says what it is":               everyPackageSaysWhatItIs,
	"packages have names of their own":            packagesHaveNamesOfTheirOwn,
	"exported names are explained":                exportedNamesAreExplained,
	"nothing is left for later":                   nothingIsLeftForLater,
	"tests do not sleep":                          testsDoNotSleep,
	"real tests are behind their tag":             realTestsAreBehindTheirTag,
	"crash points have names of their own":        crashPointsHaveNamesOfTheirOwn,
	"signatures are compared in constant time":    signaturesAreComparedInConstantTime,
	"actions are whole and in files of their own": actionsAreWholeAndInFilesOfTheirOwn,
}
