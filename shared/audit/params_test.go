package audit

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

type boxed struct{ Value *string }

type asked struct {
	UserName     string
	Password     string
	ResetOnce    bool
	MaxAge       *int
	UserData     *boxed
	Attribute    *string
	Value        *string
	PrivateKey   []byte
	Tags         []struct{ Key, Value string }
	Policy       string
	WebURL       string
	Hook         string `audit:"host"`
	When         *time.Time
	Credentials  *struct{ AccessKeyId, SecretAccessKey, SessionToken string }
	ClientToken  *string
	Deep         *asked
	Labels       map[string]string
	unexported   string
	PublicKey    []byte
	EmptyAndGone []string
}

func TestSecretsAreHiddenAndTheRestIsShown(t *testing.T) {
	secret, n, at := "s3cr3t-s3cr3t", 0, time.Unix(0, 0)
	attribute := "userData"
	in := &asked{UserName: "ann", Password: secret, MaxAge: &n, UserData: &boxed{&secret}, Attribute: &attribute, Value: &secret, PrivateKey: []byte(secret),
		Tags: make([]struct{ Key, Value string }, 0, 1), WebURL: "https://bob:" + secret + "@host/path?token=" + secret, Hook: "https://host/" + secret, When: &at,
		Credentials: &struct{ AccessKeyId, SecretAccessKey, SessionToken string }{"ASIA1", secret, secret}, Labels: map[string]string{"b": "2", "a": "1"},
		Deep: &asked{Password: secret, UserName: "bob", unexported: secret}}
	in.Tags = append(in.Tags, struct{ Key, Value string }{"team", "<red>"})
	got := string(Params(in))
	want := `{"userName":"ann","password":"` + Hidden + `","resetOnce":false,"userData":"` + Hidden + `","attribute":"userData","value":"` + Hidden + `","privateKey":"` + Hidden +
		`","tags":[{"key":"team","value":"\u003cred\u003e"}],"webURL":"https://bob:` + secret + `@host/path?token=` + secret + `","hook":"https://host","when":"1970-01-01T00:00:00Z","credentials":{"accessKeyId":"ASIA1","secretAccessKey":"` + Hidden + `","sessionToken":"` + Hidden + `"},` +
		`"deep":{"password":"` + Hidden + `","resetOnce":false,"userName":"bob"},"labels":{"a":"1","b":"2"}}`
	want = strings.ReplaceAll(want, `https://bob:`+secret+`@host/path?token=`+secret, "https://host/path")
	if got != want || strings.Contains(got, secret) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := Params(struct{ A, B *string }{}); got != nil {
		t.Errorf("of nothing: %s", got)
	}
}

func TestWhatIsTooLongIsCutAndSaysSo(t *testing.T) {
	long := struct {
		Policy string
		Many   []string
		Next   string
		Large  []string
		Last   string
	}{strings.Repeat("é", 3000), make([]string, 50), strings.Repeat("x", 1900), nil, "there"}
	for i := range long.Many {
		long.Many[i] = fmt.Sprint("item", i)
	}
	for range 20 {
		long.Large = append(long.Large, strings.Repeat("z", 1000))
	}
	b := Params(long)
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil || len(b) > maxParams {
		t.Fatalf("%d bytes, %v: %s", len(b), err, b)
	}
	if s := got["policy"].(string); !strings.HasSuffix(s, "é... (cut, 6000 bytes)") {
		t.Errorf("%q", s[len(s)-40:])
	}
	if l := got["many"].([]any); len(l) != maxItems+1 || l[maxItems] != "... (30 more)" {
		t.Errorf("%v", l)
	}
	if fmt.Sprint(got["cut"]) != "[next large]" || got["last"] != "there" {
		t.Errorf("%v %v", got["cut"], got["last"])
	}
}

func TestOfAnAnswerWhatWasMadeIsShown(t *testing.T) {
	type key struct{ UserName, AccessKeyId, Status, SecretAccessKey, Description string }
	out := &struct {
		AccessKey  key
		QRCodePNG  []byte
		Secret     string
		InstanceId *string
	}{AccessKey: key{"ann", "AKIA1", "Active", "s3cr3t", "x"}, QRCodePNG: []byte("s3cr3t"), Secret: "s3cr3t"}
	got := string(show(out, made.MatchString))
	if want := `{"accessKey":{"accessKeyId":"AKIA1","status":"Active","userName":"ann"}}`; got != want {
		t.Errorf("got %s", got)
	}
}

// A line about management is taken over whatever its parameters are called.
func TestParametersDoNotMakeALineOneAboutData(t *testing.T) {
	l := Line{Service: "ec2", Action: "X", Params: json.RawMessage(`{"a":1,"data":true}`)}
	if !taken(l.append(nil, [32]byte{})) {
		t.Error("it is left out")
	}
}

func FuzzParams(f *testing.F) {
	f.Add("userData", "x", "https://u:p@h/?q", 3)
	f.Add("\xff", strings.Repeat("é", 5000), "://", 100)
	f.Fuzz(func(t *testing.T, attribute, text, link string, n int) {
		n = min(max(n, 0), 100)
		secret := "the secret " + strings.Repeat("s", 20)
		in := &asked{UserName: text, Password: secret, Attribute: &attribute, WebURL: link, Policy: text, Labels: map[string]string{text: link, "b": text}}
		for range n {
			in.Tags = append(in.Tags, struct{ Key, Value string }{text, link})
			in = &asked{Deep: in, UserData: &boxed{&secret}}
		}
		b := Params(in)
		if !json.Valid(b) || len(b) > maxParams || strings.Contains(string(b), secret) || strings.ContainsAny(string(b), "\r\n") {
			t.Errorf("%d bytes: %s", len(b), b)
		}
	})
}
