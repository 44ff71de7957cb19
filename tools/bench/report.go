package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// figures are what one side did in one row; times in milliseconds, memory in MiB.
type figures struct {
	Side string  `json:"side"`
	Rate float64 `json:"rate"` // operations a second; of a walk: pages
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	CPU  float64 `json:"cpu"` // of an operation
	RSS  float64 `json:"rss"` // at the end of the round
	Peak float64 `json:"peak"`
}

// end is the memory of a side after all rows, in MiB.
type end struct {
	Side string  `json:"side"`
	RSS  float64 `json:"rss"`
	Peak float64 `json:"peak"`
}

// A line is one row of the table.
type line struct {
	Row         string    `json:"row"`
	Concurrency int       `json:"concurrency"`
	Sides       []figures `json:"sides"`
	RateRatio   float64   `json:"rateRatio,omitempty"` // of the first side to the second
	CPURatio    float64   `json:"cpuRatio,omitempty"`
}

// median takes the median of each figure by itself.
func median(rounds []figures) figures {
	of := func(get func(figures) float64) float64 {
		list := make([]float64, len(rounds))
		for i, f := range rounds {
			list[i] = get(f)
		}
		slices.Sort(list)
		return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
	}
	return figures{
		Rate: of(func(f figures) float64 { return f.Rate }), CPU: of(func(f figures) float64 { return f.CPU }),
		P50: of(func(f figures) float64 { return f.P50 }), P99: of(func(f figures) float64 { return f.P99 }),
		RSS: of(func(f figures) float64 { return f.RSS }), Peak: rounds[len(rounds)-1].Peak,
	}
}

func (l line) ratios() line {
	if len(l.Sides) == 2 && l.Sides[1].Rate > 0 && l.Sides[1].CPU > 0 {
		l.RateRatio, l.CPURatio = l.Sides[0].Rate/l.Sides[1].Rate, l.Sides[0].CPU/l.Sides[1].CPU
	}
	return l
}

func (l line) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-14s %3d", l.Row, l.Concurrency)
	for _, f := range l.Sides {
		fmt.Fprintf(&b, " | %8s %8s %8s %8s %5.0f", short(f.Rate), short(f.P50), short(f.P99), short(f.CPU), f.RSS)
	}
	if l = l.ratios(); l.RateRatio > 0 {
		fmt.Fprintf(&b, " | %6.2f %6.2f", l.RateRatio, l.CPURatio)
	}
	return b.String() + "\n"
}

// short writes a figure with three digits that count.
func short(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

// report writes all lines.
func (b *bench) report(w io.Writer) error {
	if b.Output == "json" {
		for i := range b.lines {
			b.lines[i] = b.lines[i].ratios()
		}
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			Rows    []line  `json:"rows"`
			Ends    []end   `json:"ends"`
			Startup float64 `json:"startup,omitempty"` // seconds
		}{b.lines, b.ends, b.startup.Seconds()})
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%-14s %3s", "", "")
	for _, s := range b.sides {
		fmt.Fprintf(&out, " | %-41s", s.name)
	}
	if len(b.sides) == 2 {
		out.WriteString(" |     ratios")
	}
	fmt.Fprintf(&out, "\n%-14s %3s", "row", "at")
	for range b.sides {
		out.WriteString(" |      /s   p50 ms   p99 ms   CPU ms   MiB")
	}
	if len(b.sides) == 2 {
		out.WriteString(" |     /s    CPU")
	}
	out.WriteString("\n")
	for _, l := range b.lines {
		out.WriteString(l.String())
	}
	for _, e := range b.ends {
		fmt.Fprintf(&out, "%s: %.0f MiB resident in the end, %.0f at most\n", e.Side, e.RSS, e.Peak)
	}
	if b.startup > 0 {
		fmt.Fprintf(&out, "walrus, killed and started again over %d keys: %.2f s to the first answer\n", b.Keys, b.startup.Seconds())
	}
	_, err := io.WriteString(w, out.String())
	return err
}
