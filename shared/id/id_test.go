package id

import (
	"bytes"
	"testing"
)

func TestNewIsValidAndOfItsKind(t *testing.T) {
	v, a := New[Volume](nil), New[Attachment](nil)
	if !Valid[Volume](string(v)) || Valid[Instance](string(v)) || KindOf(string(v)) != "vol" || len(v) != len("vol-")+17 {
		t.Errorf("got %s", v)
	}
	if !Valid[Attachment](string(a)) || Valid[Interface](string(a)) || KindOf(string(a)) != "eni-attach" {
		t.Errorf("got %s", a)
	}
}

func TestTheSameSourceGivesTheSameIds(t *testing.T) {
	src := bytes.Repeat([]byte{7}, 18)
	r := bytes.NewReader(src)
	if a, b := New[Instance](r), New[Instance](r); a != b || a != "i-07070707070707070" {
		t.Errorf("got %s, %s", a, b)
	}
}

func TestValidRefuses(t *testing.T) {
	for _, s := range []string{"", "i", "i-", "i-1", "i-0123456789abcdef", "i-0123456789ABCDEF0", "vol-0123456789abcdef0", "i-0123456789abcdef0\n"} {
		if Valid[Instance](s) {
			t.Errorf("%q is taken for an instance", s)
		}
	}
	if !Valid[Instance]("i-1a2b3c4d") {
		t.Error("the short form is refused")
	}
}
