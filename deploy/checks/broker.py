"""A real Apache Kafka with TLS, SCRAM-SHA-512 and rights, on the local JDK."""
import os
import re
import subprocess
from pathlib import Path

from system import free_ports

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "production."
USERS = ("producer", "dispatcher", "dlq-consumer", "console")


def password(user):
    return f"password-of-{user}"


class Kafka:
    """One broker: a plain port for the super user, and SASL_SSL for the others."""

    def __init__(self, folder):
        self.folder = folder
        version = re.search(r"<version>(\d+\.\d+\.\d+)<", (ROOT / "testcontainers/kafka/pom.xml").read_text()).group(1)
        self.jars = ROOT / ".cache" / f"kafka-{version}"
        if not self.jars.is_dir():
            subprocess.run(
                ["mvn", "-q", "-B", "dependency:copy-dependencies", "-f", ROOT / "testcontainers/kafka/pom.xml"]
                + [f"-DoutputDirectory={self.jars}"],
                check=True,
            )
        self.plain, controller, self.sasl = free_ports(3)
        self.certificates()
        log = (ROOT / "testcontainers/kafka/log4j2.xml").resolve()
        self.java = ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        self.java += [f"-Dlog4j2.configurationFile={log}", "-cp", f"{self.jars}/*"]
        module = "org.apache.kafka.common.security.scram.ScramLoginModule"
        properties = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_SSL",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.plain},CONTROLLER://127.0.0.1:{controller},SASL://127.0.0.1:{self.sasl}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.plain},SASL://127.0.0.1:{self.sasl}",
            "listener.name.sasl.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.sasl.scram-sha-512.sasl.jaas.config": f"{module} required;",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.certificate.chain": self.line("broker.pem"),
            "ssl.keystore.key": self.line("broker.key"),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            # The plain port is this check's own.
            "super.users": "User:ANONYMOUS",
            "log.dirs": folder / "data",
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 1,
            "group.initial.rebalance.delay.ms": 0,
        }
        (folder / "server.properties").write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
        users = [
            word
            for user in (*USERS, "analytics")
            for word in ("--add-scram", f"SCRAM-SHA-512=[name=feedbackpro-{user},password={password(user)}]")
        ]
        subprocess.run(
            [*self.java, "kafka.tools.StorageTool", "format", "--standalone", "--cluster-id=MkU3OEVBNTcwNTJENDM2Qg"]
            + ["-c", folder / "server.properties", *users],
            check=True,
            capture_output=True,
        )
        self.log = open(folder / "kafka.log", "wb")
        self.process = subprocess.Popen(
            [*self.java, "kafka.Kafka", folder / "server.properties"], stdout=self.log, stderr=self.log
        )
        # make.sh calls Kafka's tools by their names.
        tools = folder / "tools"
        tools.mkdir()
        for name, tool in (("kafka-acls.sh", "AclCommand"), ("kafka-topics.sh", "TopicCommand")):
            words = " ".join(f"'{word}'" for word in self.java)
            (tools / name).write_text(f'#!/bin/sh\nexec {words} org.apache.kafka.tools.{tool} "$@"\n')
            (tools / name).chmod(0o755)
        self.tools = {"PATH": f"{tools}:{os.environ['PATH']}"}

    def certificates(self):
        openssl = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        subprocess.run(
            [*openssl, "-subj", "/CN=broker", "-addext", "subjectAltName=IP:127.0.0.1"]
            + ["-keyout", "broker.key", "-out", "broker.pem"],
            cwd=self.folder,
            check=True,
            capture_output=True,
        )

    def line(self, name):
        return (self.folder / name).read_text().strip().replace("\n", "\\n")

    def allow_all(self):
        """What make.sh says, and nothing else."""
        make = [ROOT / "deploy/kafka/make.sh", "rights", f"127.0.0.1:{self.plain}", PREFIX]
        subprocess.run(make, env=os.environ | self.tools, check=True, capture_output=True)

    def forbid(self, user, operation, *resource):
        """Takes one right away."""
        subprocess.run(
            ["kafka-acls.sh", "--bootstrap-server", f"127.0.0.1:{self.plain}", "--remove", "--force"]
            + ["--allow-principal", f"User:feedbackpro-{user}", "--operation", operation, *resource],
            env=os.environ | self.tools,
            check=True,
            capture_output=True,
        )
