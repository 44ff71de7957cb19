//go:build real

package rules

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Each golden text is taken by the kernel as it is, twice over, and a text that
// it refuses changes nothing.
func TestKernelTakesTheGoldenTexts(t *testing.T) {
	ns := fmt.Sprintf("krules-test-%d", os.Getpid())
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

// The rules of a host full of guests are one text, loaded at once.
func TestKernelTakesAHundredGuests(t *testing.T) {
	ns := fmt.Sprintf("krules-many-%d", os.Getpid())
	if out, err := exec.Command("ip", "netns", "add", ns).CombinedOutput(); err != nil {
		t.Fatal(string(out))
	}
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
	text, err := Render(many(100))
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	c := exec.Command("ip", "netns", "exec", ns, "nft", "-f", "-")
	c.Stdin = strings.NewReader(text)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatal(string(out))
	}
	t.Logf("%d bytes loaded in %v", len(text), time.Since(began))
}
