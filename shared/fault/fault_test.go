package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestAFaultSurvivesWrapping(t *testing.T) {
	err := fmt.Errorf("attach vol-1: %w", New(Missing, "InvalidVolume.NotFound", "There is no volume %s.", "vol-1"))
	if KindOf(err) != Missing || CodeOf(err) != "InvalidVolume.NotFound" {
		t.Errorf("got %v %s", KindOf(err), CodeOf(err))
	}
}

func TestAPlainErrorIsBrokenAndSaysNothingOutside(t *testing.T) {
	f := Of(io.ErrUnexpectedEOF)
	b, err := json.Marshal(f)
	if err != nil || f.Kind != Broken || strings.Contains(string(b), "EOF") {
		t.Errorf("got %s, %v", b, err)
	}
	if !errors.Is(f, io.ErrUnexpectedEOF) {
		t.Error("the cause is lost")
	}
}

func TestBecauseLeavesTheOriginalAlone(t *testing.T) {
	a := New(Later, "Unavailable", "Try again.")
	if b := a.Because(io.EOF); a.Err != nil || !errors.Is(b, io.EOF) {
		t.Errorf("a %v, b %v", a, b)
	}
}
