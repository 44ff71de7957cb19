package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// plainMark makes bench be the plain loop.
const plainMark = "serve-plain"

func (b *bench) startPlain(ctx context.Context, dir string) error {
	host, err := freeHost()
	if err != nil {
		return err
	}
	folder := filepath.Join(dir, "plain")
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	p, err := b.launch(ctx, filepath.Join(dir, "plain.log"), host, "/", nil, self, plainMark, host, folder)
	if err != nil {
		return err
	}
	b.sides = append(b.sides, &side{name: "plain", host: host, keys: credentials, pids: []int{p.cmd.Process.Pid}})
	return nil
}

// servePlain is the least that a GET can cost: a file is read, its CRC32C is
// compared, and it is written to the socket. It takes what a PUT brings as it
// comes, and understands no more of HTTP than bench sends.
func servePlain(host, folder string) {
	ln, err := net.Listen("tcp", host)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	p := &plain{folder: folder}
	for {
		c, err := ln.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go p.serve(c)
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

type plain struct {
	folder string
	sums   sync.Map // of the files
}

func (p *plain) serve(c net.Conn) {
	defer c.Close()
	in, buf := bufio.NewReader(c), make([]byte, 64*kib)
	for {
		head, length := "", 0
		for {
			line, err := in.ReadSlice('\n')
			if err != nil {
				return
			}
			if line = bytes.TrimSpace(line); len(line) == 0 {
				break
			}
			if head == "" {
				head = string(line)
			}
			if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
				_, _ = fmt.Sscan(string(v), &length)
			}
		}
		method, path, _ := strings.Cut(head, " ")
		path, _, _ = strings.Cut(path, " ")
		name := filepath.Join(p.folder, strings.ReplaceAll(path, "/", "_"))
		err := error(nil)
		if method == http.MethodPut {
			err = p.put(c, in, name, length)
		} else {
			err = p.get(c, name, buf)
		}
		if err != nil {
			return
		}
	}
}

func (p *plain) put(c net.Conn, in io.Reader, name string, length int) error {
	b := make([]byte, length)
	if _, err := io.ReadFull(in, b); err != nil {
		return err
	}
	p.sums.Store(name, crc32.Checksum(b, castagnoli))
	if err := os.WriteFile(name, b, 0o600); err != nil {
		return err
	}
	_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	return err
}

func (p *plain) get(c net.Conn, name string, buf []byte) error {
	f, err := os.Open(name)
	if err != nil { // asked whether it answers
		_, err := io.WriteString(c, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", st.Size()); err != nil {
		return err
	}
	sum := uint32(0)
	for {
		n, err := f.Read(buf)
		sum = crc32.Update(sum, castagnoli, buf[:n])
		if _, err := c.Write(buf[:n]); err != nil {
			return err
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if want, _ := p.sums.Load(name); want != sum {
		return fmt.Errorf("%s is damaged", name)
	}
	return nil
}
