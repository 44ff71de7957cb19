package port_test

import (
	"net"
	"testing"

	"karri/shared/port"
)

func TestAFreePortCanBeHadAgainAndAgain(t *testing.T) {
	addr, err := port.Free("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if n := ln.Addr().(*net.TCPAddr).Port; n < 1024 || n >= 32768 {
			t.Errorf("%d is one of those that the kernel gives out", n)
		}
		if err := ln.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNoPortOfAnotherMachineIsFree(t *testing.T) {
	if addr, err := port.Free("192.0.2.1"); err == nil {
		t.Errorf("%s is free", addr)
	}
}
