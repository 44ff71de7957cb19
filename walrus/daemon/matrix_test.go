package daemon_test

import (
	"crypto/md5"
	_ "embed"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"karri/shared/identity"
	"karri/walrus/daemon"
	"karri/walrus/daemon/walrustest"
	"karri/walrus/s3"
)

// The matrix says of every operation who may do it to a bucket of Ann's and
// what is in it. It is written by hand.
//
//go:embed testdata/matrix.txt
var matrix string

func readMatrix(t *testing.T) (columns []string, classes map[string][]string, class map[string]string) {
	t.Helper()
	classes, class = map[string][]string{}, map[string]string{}
	for line := range strings.Lines(matrix) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0 || f[0] == "#":
		case f[0] == "class":
			columns = f[1:]
		case f[0][0] == '=':
			if len(f) != len(columns)+1 {
				t.Fatalf("%q has not %d columns", line, len(columns))
			}
			classes[f[0][1:]] = f[1:]
		default:
			for _, name := range f[1:] {
				class[name] = strings.TrimSuffix(f[0], ":")
			}
		}
	}
	return columns, classes, class
}

// columnsOf makes a key for each column that signs.
func columnsOf(cloud *walrustest.Cloud) map[string]walrustest.User {
	end := time.Now().Add(time.Hour)
	who := map[string]walrustest.User{"owner": ann, "other": bob}
	for column, change := range map[string]func(i *identity.Identity){
		"none": func(*identity.Identity) {}, "reader": func(i *identity.Identity) { i.Policies = document(readS3) },
		"denied": func(i *identity.Identity) {
			i.Policies = document(allS3 + `,{"Effect":"Deny","Action":"*","Resource":"*"}`)
		},
		"bounded": func(i *identity.Identity) { i.Policies, i.Boundary = document(allS3), document(readS3) },
		"session": func(i *identity.Identity) {
			i.Kind, i.ARN, i.Expires = identity.Role, "arn:aws:sts::"+ann.Account+":assumed-role/r/s", &end
			i.Policies, i.Session = document(allS3), document(readS3)
		},
		"role": func(i *identity.Identity) {
			i.Kind, i.ARN, i.Expires = identity.Role, "arn:aws:sts::"+ann.Account+":assumed-role/web/i-1", &end
			i.Policies = document(`{"Effect":"Allow","Action":"ec2:*","Resource":"*"}`)
		},
		"admin": func(i *identity.Identity) { *i = *identity.RootOf("100000000001", true) },
	} {
		i := userOf(ann, column, nil)
		change(i)
		who[column] = walrustest.User{Account: i.Account, AccessKey: ("AKIA" + strings.ToUpper(column) + "AAAAAAAAAAAAAAAA")[:20], Secret: "secret of " + column}
		cloud.Admit(who[column], i, "")
	}
	return who
}

func TestWhoMayDoWhat(t *testing.T) {
	cloud := walrustest.StartCloud(t)
	w := walrustest.Start(t, cloud, daemon.Config{})
	columns, classes, class := readMatrix(t)
	who := columnsOf(cloud)
	furnish := func() {
		w.Do(t, ann, "PUT", "/pond", "")
		w.Do(t, ann, "PUT", "/pond/k", "hello")
	}
	furnish()
	seen := map[string]bool{}
	for _, r := range s3.Routes() {
		row := classes[class[r.Name]]
		if row == nil {
			t.Errorf("%s is in no class: say in testdata/matrix.txt who may do it", r.Name)
			continue
		}
		seen[r.Name] = true
		for i, column := range columns {
			method, path, body, headers := requestOf(r)
			q := w.Request(t, method, path, body, headers...)
			if u, signs := who[column]; signs {
				w.Sign(t, u, q)
			} // a component has no access key: it comes as nobody
			got, a := "yes", w.Send(t, q)
			if a.Status == 403 && (a.Code() == "AccessDenied" || method == "HEAD") || strings.Contains(a.Body, "<Code>AccessDenied</Code>") {
				got = "no"
			}
			if got != row[i] {
				t.Errorf("%s (%s) by %s: %s (%d %s), want %s", r.Name, class[r.Name], column, got, a.Status, a.Code(), row[i])
			}
			if got == "yes" && method != "GET" && method != "HEAD" {
				w.Do(t, ann, "DELETE", "/pond?policy", "")
				furnish()
			}
		}
	}
	for name := range class {
		if !seen[name] {
			t.Errorf("%s is in the matrix, but there is no such operation", name)
		}
	}
}

// requestOf is the least request that selects an operation.
func requestOf(r s3.Route) (method, path, body string, headers []string) {
	path = "/"
	if r.Bucket {
		path = "/pond"
	}
	if r.Name == "CreateBucket" {
		path = "/puddle"
	}
	if r.Key {
		path += "/k"
	}
	if r.Sub != "" {
		path += "?" + r.Sub
	}
	if r.Header != "" {
		headers = append(headers, r.Header+": /pond/k")
	}
	if r.Name == "DeleteObjects" {
		body = "<Delete><Object><Key>k</Key></Object></Delete>"
		sum := md5.Sum([]byte(body))
		headers = append(headers, "Content-MD5: "+base64.StdEncoding.EncodeToString(sum[:]))
	}
	return r.Method, path, body, headers
}
