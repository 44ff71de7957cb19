//go:build real

package rules

import (
	"os/exec"
	"strings"
	"testing"
)

// Each golden text is taken by the kernel as it is, twice over, and a text that
// it refuses changes nothing.
func TestKernelTakesTheGoldenTexts(t *testing.T) {
	const ns = "krules-test"
	run := func(input string, args ...string) (string, error) {
		c := exec.Command("ip", append([]string{"netns", "exec", ns, "nft"}, args...)...)
		c.Stdin = strings.NewReader(input)
		out, err := c.CombinedOutput()
		return string(out), err
	}
	if out, err := exec.Command("ip", "netns", "add", ns).CombinedOutput(); err != nil {
		t.Fatal(string(out))
	}
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
	for name, text := range texts(t) {
		for range 2 {
			if out, err := run(text, "-f", "-"); err != nil {
				t.Fatalf("%s: %s", name, out)
			}
		}
		before, err := run("", "list", "ruleset")
		if err != nil || !strings.Contains(before, "chain here") {
			t.Fatal(before, err)
		}
		if _, err := run(text+"table inet karri {\n chain broken {\n  tcp dport nonsense accept\n }\n}\n", "-f", "-"); err == nil {
			t.Fatal("nonsense was taken")
		}
		if after, _ := run("", "list", "ruleset"); after != before {
			t.Errorf("%s: a refused text changed the rules", name)
		}
	}
}
