package events

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/nats-io/nats.go"
)

// An Address is where the event server is: what cloudctl tells components.
type Address struct {
	URLs    []string `json:"urls"`              // tls://host:port; none: there is no event server
	Outside bool     `json:"outside,omitempty"` // a cluster that is not the cloud's own
	CA      []byte   `json:"ca,omitempty"`      // PEM: its authority; none: those that the host believes
}

// Outside returns the address of an outside cluster by the URLs of its servers
// and the file of its authority, "" for the host's.
func Outside(urls []string, authority string) (at Address, err error) {
	for _, u := range urls {
		if err := CheckURL(u); err != nil {
			return at, fmt.Errorf("--events-url: %w", err)
		}
	}
	at = Address{URLs: urls, Outside: true}
	if authority == "" {
		return at, nil
	}
	if at.CA, err = os.ReadFile(authority); err == nil && !x509.NewCertPool().AppendCertsFromPEM(at.CA) {
		err = fmt.Errorf("%s holds no certificate in PEM", authority)
	}
	if err != nil {
		err = fmt.Errorf("--events-ca: %w", err)
	}
	return at, err
}

// CheckURL refuses what is no address of an outside cluster. A URL is shown in
// logs, so there is no place for a password in it.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "tls" && u.Scheme != "nats" || u.Hostname() == "" || u.Port() == "" || u.User != nil {
		return errors.New("the URL of an event server is tls://HOST:PORT, without a password: --events-credentials names a file with that")
	}
	return nil
}

// verifyOutside believes a server of an outside cluster.
func verifyOutside(at Address, host string, chain []*x509.Certificate) error {
	if len(chain) == 0 {
		return errors.New("no certificate was shown")
	}
	o := x509.VerifyOptions{DNSName: host, Intermediates: x509.NewCertPool()}
	if len(at.CA) > 0 {
		if o.Roots = x509.NewCertPool(); !o.Roots.AppendCertsFromPEM(at.CA) {
			return errors.New("the authority of the event server cannot be read")
		}
	}
	for _, c := range chain[1:] {
		o.Intermediates.AddCert(c)
	}
	_, err := chain[0].Verify(o)
	return err
}

// credentials returns what logs in to an outside cluster by a file: a .creds
// file or the seed of an nkey of NATS, user and password, each in a line, or a
// token. Its form is looked at once, what it holds for each connection.
func credentials(file string) ([]nats.Option, error) {
	if file == "" {
		return nil, nil
	}
	words, err := readWords(file)
	if err != nil {
		return nil, fmt.Errorf("--events-credentials: %w", err)
	}
	word := func(i int) string {
		if w, err := readWords(file); err == nil && i < len(w) {
			return w[i]
		}
		return ""
	}
	var o nats.Option
	switch {
	case strings.Contains(strings.Join(words, " "), "BEGIN NATS USER JWT"):
		o = nats.UserCredentials(file)
	case len(words) == 1 && len(words[0]) == 58 && strings.HasPrefix(words[0], "SU"):
		o, err = nats.NkeyOptionFromSeed(file)
	case len(words) == 1:
		o = nats.TokenHandler(func() string { return word(0) })
	case len(words) == 2:
		o = nats.UserInfoHandler(func() (string, string) { return word(0), word(1) })
	default:
		err = errors.New("it is a .creds file or an nkey seed of NATS, user and password, each in a line, or a token")
	}
	if err != nil {
		return nil, fmt.Errorf("--events-credentials: %s: %w", file, err)
	}
	return []nats.Option{o}, nil
}

func readWords(file string) ([]string, error) {
	b, err := os.ReadFile(file)
	return strings.Fields(string(b)), err
}

// advice says what an administrator does about an error of a connection.
func advice(err error, outside bool) string {
	unknown, unknownIs := errors.AsType[x509.UnknownAuthorityError](err)
	wrong, wrongIs := errors.AsType[x509.HostnameError](err)
	text := strings.ToLower(err.Error())
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(text, w) {
				return true
			}
		}
		return false
	}
	switch {
	case !outside:
		return ""
	case unknownIs && unknown.Cert != nil:
		return fmt.Sprintf("its certificate is of the authority %q: give cloudctl that one's file by --events-ca", unknown.Cert.Issuer)
	case wrongIs:
		return fmt.Sprintf("its certificate is for %s: name it so in --events-url of cloudctl, or give the server another certificate", strings.Join(wrong.Certificate.DNSNames, ", "))
	case has("remote error: tls"):
		return "it refuses the certificate of this component: let its ca_file hold the cloud's authority too, which is STATE/ca/cert.pem of cloudctl"
	case errors.Is(err, nats.ErrSecureConnWanted):
		return "it speaks no TLS: configure tls in that server"
	case has("authorization violation", "authentication"):
		return "it refuses to let this component in: give --events-credentials a file with what the server wants, or map the component's certificate to a user there (verify_and_map)"
	case has("permissions violation"):
		return "it lets this component in, but not do that: cloudctl publishes and subscribes to karri.>, walrus publishes karri.bucket.> and subscribes to karri.identity.>"
	}
	return ""
}
