// Command inside is what stories run within a guest: it asks the metadata
// service, version 2, for the credentials of the instance's role, as every
// program on an instance does, and sends one request that is signed with them.
//
//	inside SERVICE URL          prints the status and the body
//	inside -until N SERVICE URL asks until the status is N, for a minute at most
//	inside -secret              prints the secret key and the token
//
// It keeps nothing.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"karri/shared/sign"
)

const service = "http://169.254.169.254/latest/"

func main() {
	until := flag.Int("until", 0, "ask until the status is this")
	show := flag.Bool("secret", false, "print the secret key and the token, which nothing outside may know")
	flag.Parse()
	if *show {
		keys, err := credentials()
		if err != nil {
			fmt.Fprintln(os.Stderr, "inside:", err)
		}
		fmt.Println(keys.Secret, keys.Token)
		return
	}
	if err := run(*until, flag.Arg(0), flag.Arg(1)); err != nil {
		fmt.Fprintln(os.Stderr, "inside:", err)
		os.Exit(1)
	}
}

func run(until int, what, url string) error {
	keys, err := credentials()
	if err != nil {
		return err
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		status, body, err := ask(keys, what, url)
		if err != nil {
			return err
		}
		if until == 0 || status == until {
			fmt.Printf("%d\n%s\n", status, body)
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("the status is still %d", status)
		}
	}
}

// credentials are those of the instance's role.
func credentials() (c sign.Credentials, err error) {
	token, err := metadata(http.MethodPut, "api/token", "X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
	if err != nil {
		return c, err
	}
	const at = "meta-data/iam/security-credentials/"
	role, err := metadata(http.MethodGet, at, "X-Aws-Ec2-Metadata-Token", token)
	if err != nil {
		return c, err
	}
	text, err := metadata(http.MethodGet, at+role, "X-Aws-Ec2-Metadata-Token", token)
	if err != nil {
		return c, err
	}
	var m map[string]string
	if err := json.Unmarshal([]byte(text), &m); err != nil || m["Code"] != "Success" {
		return c, fmt.Errorf("no credentials: %q %w", m["Code"], err)
	}
	return sign.Credentials{AccessKey: m["AccessKeyId"], Secret: m["SecretAccessKey"], Token: m["Token"]}, nil
}

func metadata(method, path, header, value string) (string, error) {
	r, err := http.NewRequest(method, service+path, nil)
	if err != nil {
		return "", err
	}
	r.Header.Set(header, value)
	status, body, err := do(r)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s: status %d", path, status)
	}
	return body, err
}

// ask sends a GET that is signed for a service.
func ask(keys sign.Credentials, what, url string) (int, string, error) {
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	payload := ""
	if what == "s3" {
		payload = "UNSIGNED-PAYLOAD"
	}
	if err := sign.Request(r, keys, sign.Scope{Region: "us-east-1", Service: what, At: time.Now()}, payload); err != nil {
		return 0, "", err
	}
	return do(r)
}

func do(r *http.Request) (int, string, error) {
	client := http.Client{Timeout: 10 * time.Second}
	res, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, strings.TrimSpace(string(b)), err
}
