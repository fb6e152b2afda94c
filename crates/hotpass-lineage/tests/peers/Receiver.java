// Takes OpenLineage events over HTTP as a backend does, with the project's own Java classes as its reader.
//
// Usage: java -cp 'LIB/*' Receiver.java PORT EVENTS
//
//   POST /api/v1/lineage         201 when the classes read the event, 400 with their complaint when they do not
//   GET  /api/v1/events/lineage  every event taken so far, oldest first
//   GET  /healthcheck            200
//
// Each event taken becomes one line of EVENTS: the event, the class that read each facet, and every place where the event
// differs once the classes have written it again. A facet with no class of its own is an extension and is kept as it is.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.openlineage.client.OpenLineage;
import io.openlineage.client.OpenLineageClientUtils;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import java.util.zip.GZIPInputStream;

public final class Receiver {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<JsonNode> TAKEN = new ArrayList<>();
  private static Path record;

  public static void main(String[] arguments) throws IOException {
    record = Path.of(arguments[1]);
    // What an earlier receiver took is still there after a restart, as in a backend with a database.
    if (Files.exists(record)) {
      for (String line : Files.readAllLines(record)) {
        TAKEN.add(JSON.readTree(line).get("event"));
      }
    }
    InetSocketAddress address =
        new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(arguments[0]));
    HttpServer server = HttpServer.create(address, 0);
    server.createContext("/api/v1/lineage", Receiver::take);
    server.createContext("/api/v1/events/lineage", Receiver::give);
    server.createContext("/healthcheck", exchange -> answer(exchange, 200, "{}"));
    server.setExecutor(Executors.newFixedThreadPool(2));
    server.start();
  }

  private static void take(HttpExchange exchange) throws IOException {
    if (!exchange.getRequestMethod().equals("POST")) {
      answer(exchange, 405, "{}");
      return;
    }
    String body;
    try (InputStream raw = exchange.getRequestBody()) {
      boolean zipped = "gzip".equalsIgnoreCase(exchange.getRequestHeaders().getFirst("Content-Encoding"));
      InputStream plain = zipped ? new GZIPInputStream(raw) : raw;
      body = new String(plain.readAllBytes(), StandardCharsets.UTF_8);
    }
    try {
      ObjectNode line = read(body);
      synchronized (TAKEN) {
        TAKEN.add(line.get("event"));
        Files.writeString(record, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      }
      answer(exchange, 201, "");
    } catch (Exception error) {
      ObjectNode complaint = JSON.createObjectNode();
      complaint.put("code", 400);
      complaint.put("message", String.valueOf(error.getMessage()));
      answer(exchange, 400, complaint.toString());
    }
  }

  private static void give(HttpExchange exchange) throws IOException {
    ObjectNode all = JSON.createObjectNode();
    synchronized (TAKEN) {
      all.putArray("events").addAll(TAKEN);
      all.put("totalCount", TAKEN.size());
    }
    answer(exchange, 200, all.toString());
  }

  private static void answer(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private static ObjectNode read(String body) throws Exception {
    JsonNode sent = JSON.readTree(body);
    OpenLineage.RunEvent event = OpenLineageClientUtils.runEventFromJson(body);
    if (event.getRun() == null || event.getRun().getRunId() == null || event.getJob() == null) {
      throw new IllegalArgumentException("not a run event");
    }
    ObjectNode line = JSON.createObjectNode();
    line.set("event", sent);
    ArrayNode facets = line.putArray("facets");
    facets(facets, "run", sent.at("/run/facets"), event.getRun().getFacets());
    facets(facets, "job", sent.at("/job/facets"), event.getJob().getFacets());
    for (int at = 0; at < sent.path("inputs").size(); at++) {
      JsonNode input = sent.path("inputs").get(at);
      facets(facets, "dataset", input.path("facets"), event.getInputs().get(at).getFacets());
      facets(facets, "input", input.path("inputFacets"), event.getInputs().get(at).getInputFacets());
    }
    for (int at = 0; at < sent.path("outputs").size(); at++) {
      JsonNode output = sent.path("outputs").get(at);
      facets(facets, "dataset", output.path("facets"), event.getOutputs().get(at).getFacets());
      facets(facets, "output", output.path("outputFacets"), event.getOutputs().get(at).getOutputFacets());
    }
    ArrayNode differences = line.putArray("differences");
    compare("", sent, JSON.readTree(OpenLineageClientUtils.toJson(event)), differences);
    return line;
  }

  /** Notes for each facet the class that read it. */
  private static void facets(ArrayNode into, String where, JsonNode sent, Object read) throws Exception {
    for (var names = sent.fieldNames(); names.hasNext(); ) {
      String key = names.next();
      String getter = "get" + Character.toUpperCase(key.charAt(0)) + key.substring(1);
      String type = "extension";
      for (var method : read.getClass().getMethods()) {
        if (method.getName().equals(getter) && method.getParameterCount() == 0) {
          Object facet = method.invoke(read);
          type = facet == null ? "dropped" : facet.getClass().getSimpleName();
        }
      }
      ObjectNode facet = into.addObject();
      facet.put("where", where);
      facet.put("key", key);
      facet.put("class", type);
    }
  }

  /** Lists the places where two values differ; equal moments and equal numbers are equal however they are written. */
  private static void compare(String path, JsonNode sent, JsonNode written, ArrayNode differences) {
    if (sent.isObject() && written.isObject()) {
      TreeSet<String> names = new TreeSet<>();
      sent.fieldNames().forEachRemaining(names::add);
      written.fieldNames().forEachRemaining(names::add);
      for (String name : names) {
        compare(path + "/" + name, sent.path(name), written.path(name), differences);
      }
    } else if (sent.isArray() && written.isArray() && sent.size() == written.size()) {
      for (int at = 0; at < sent.size(); at++) {
        compare(path + "/" + at, sent.get(at), written.get(at), differences);
      }
    } else if (!same(sent, written)) {
      differences.add(path + ": sent " + shape(sent) + ", written again " + shape(written));
    }
  }

  private static boolean same(JsonNode sent, JsonNode written) {
    if (sent.equals(written)) {
      return true;
    }
    if (sent.isNumber() && written.isNumber()) {
      return sent.decimalValue().compareTo(written.decimalValue()) == 0;
    }
    if (sent.isTextual() && written.isTextual()) {
      try {
        return ZonedDateTime.parse(sent.textValue()).isEqual(ZonedDateTime.parse(written.textValue()));
      } catch (RuntimeException notTimes) {
        return false;
      }
    }
    // An absent value and an empty list or object say the same.
    return (sent.isMissingNode() || sent.isNull()) && written.isContainerNode() && written.isEmpty();
  }

  private static String shape(JsonNode node) {
    return node.isMissingNode() ? "nothing" : node.getNodeType().name().toLowerCase() + " " + node;
  }
}
