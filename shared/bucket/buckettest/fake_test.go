package buckettest

import "testing"

func TestFake(t *testing.T) {
	Suite(t, func(t *testing.T) World {
		s := New(nil)
		return World{Store: s, UserPut: s.UserPut}
	})
}
