package main

import (
	"strings"
	"testing"
)

func TestEventsAreShownALineEach(t *testing.T) {
	out := map[string]any{"Events": []any{map[string]any{"Time": "2026-01-02T03:04:05Z", "Subject": "identity.key", "Body": `{"Account":"1"}`}}}
	for asJSON, want := range map[bool]string{
		false: "2026-01-02T03:04:05Z  identity.key  {\"Account\":\"1\"}\n",
		true:  `{"Body":{"Account":"1"},"Subject":"identity.key","Time":"2026-01-02T03:04:05Z"}` + "\n",
	} {
		var b strings.Builder
		if err := showEvents(&b, out, asJSON); err != nil || b.String() != want {
			t.Errorf("%v: %q, %v", asJSON, b.String(), err)
		}
		out["Events"].([]any)[0].(map[string]any)["Body"] = `{"Account":"1"}`
	}
}
