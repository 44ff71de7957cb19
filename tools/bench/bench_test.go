package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestCompareFindsEachDifference(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789abcdef"), 20_000)
	flipped := bytes.Clone(want)
	flipped[len(flipped)-1] ^= 1
	for name, got := range map[string][]byte{"short": want[:len(want)-1], "long": append(bytes.Clone(want), 0), "flipped": flipped, "none": nil} {
		c := &conn{scratch: make([]byte, 64*kib)}
		if err := c.compare(bytes.NewReader(got), want); err != errDiffers {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := &conn{scratch: make([]byte, 64*kib)}
	if err := c.compare(bytes.NewReader(want), want); err != nil {
		t.Error(err)
	}
}

func pageOf(from, to, keys int) []byte {
	var b strings.Builder
	for n := from; n < to; n++ {
		fmt.Fprintf(&b, "<Contents><Key>%s</Key></Contents>", listKey(n, keys))
	}
	return []byte(b.String())
}

func TestCheckKeysFindsEachDifference(t *testing.T) {
	const keys = 2500
	if n, err := checkKeys(pageOf(1000, 2000, keys), 1000, keys); n != pageSize || err != nil {
		t.Errorf("a page of %d: %v", n, err)
	}
	if n, err := checkKeys(pageOf(2000, 2500, keys), 2000, keys); n != 500 || err != nil {
		t.Errorf("a last page of %d: %v", n, err)
	}
	for name, page := range map[string][]byte{"short": pageOf(0, 999, keys), "shifted": pageOf(1, 1001, keys), "long": pageOf(0, 1001, keys)} {
		if _, err := checkKeys(page, 0, keys); err == nil {
			t.Errorf("a page that is %s passed", name)
		}
	}
}

func TestMedian(t *testing.T) {
	f := median([]figures{{Rate: 9, CPU: 1, Peak: 1}, {Rate: 1, CPU: 3, Peak: 2}, {Rate: 5, CPU: 2, Peak: 3}})
	if f.Rate != 5 || f.CPU != 2 || f.Peak != 3 {
		t.Errorf("the median is %+v", f)
	}
	l := line{Sides: []figures{{Rate: 6, CPU: 1}, {Rate: 3, CPU: 4}}}.ratios()
	if l.RateRatio != 2 || l.CPURatio != 0.25 {
		t.Errorf("the ratios are %+v", l)
	}
}

// TestRoundsAgainstThePlainLoop runs a row whole: filled, measured, compared.
func TestRoundsAgainstThePlainLoop(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &plain{folder: t.TempDir()}
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	s := &side{name: "plain", host: ln.Addr().String(), keys: credentials, next: map[string]int{}, rate: map[string]float64{}}
	b := &bench{settings: settings{Rounds: 1, Time: 10 * time.Millisecond, Keys: 10, Output: "table"},
		only: regexp.MustCompile("^get-64k$"), levels: []int{2}, sides: []*side{s}}
	if err := b.measure(t.Context()); err != nil {
		t.Fatal(err)
	}
	if f := b.lines[0].Sides[0]; len(b.lines) != 1 || f.Rate <= 0 || f.P99 < f.P50 || f.P50 <= 0 {
		t.Errorf("measured %+v", b.lines)
	}
	if err := s.once(t.Context(), http.MethodPut, (&row{name: "get-64k"}).key(3), []byte("other")); err != nil {
		t.Fatal(err)
	}
	b.lines, b.Time = nil, time.Second
	c, err := s.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for n := range stored(64 * kib) { // some n asks for the third object
		shot, err := get(64*kib).shot(s, n)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.fire(shot); err == errDiffers {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
	t.Error("an object that is another passed")
}
