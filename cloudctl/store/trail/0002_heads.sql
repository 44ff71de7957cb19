CREATE INDEX audit_heads_daemon ON audit_heads (daemon);
