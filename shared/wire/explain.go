package wire

import (
	"fmt"
	"time"

	"karri/shared/life"
)

// Explanation is what GET /v1/explain/{id} answers: what a tier knows of a
// thing in sentences (what is wanted, seen, tried, failed, waited for), and
// what the tiers below it say.
type Explanation struct {
	Tier  string        `json:"tier"` // clusterctl us-east-1a
	Lines []string      `json:"lines"`
	Below []Explanation `json:"below,omitempty"`
}

// Say adds a line.
func (e *Explanation) Say(format string, args ...any) {
	e.Lines = append(e.Lines, fmt.Sprintf(format, args...))
}

// SayFlow adds what a loop last did with the thing.
func (e *Explanation) SayFlow(s life.Status) {
	switch {
	case s.Looked.IsZero():
		e.Say("not looked at yet")
	case s.Error != "":
		e.Say("failed %d times at: %s: %s; next try at %s", s.Tries, s.Step, s.Error, s.Next.UTC().Format(time.RFC3339))
	case s.Step != "":
		e.Say("waiting for: %s, since %s", s.Step, s.Since.UTC().Format(time.RFC3339))
	default:
		e.Say("at rest, looked at %s", s.Looked.UTC().Format(time.RFC3339))
	}
}
