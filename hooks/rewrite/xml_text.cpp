// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hooks/rewrite/xml_text.hpp"

#include <algorithm>
#include <vector>

namespace sfg::hooks {
namespace {

void add_escaped(std::string& out, std::string_view text, bool in_attribute) {
    for (const char c : text) {
        if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '&')
            out += "&amp;";
        else if (c == '"')
            out += "&quot;";
        else if (c == '\'')
            out += "&apos;";
        else if (c == '\r' || (in_attribute && (c == '\t' || c == '\n')))
            out += "&#" + std::to_string(static_cast<int>(c)) + ";";
        else
            out += c;
    }
}

void add_start(std::string& out, pugi::xml_node element) {
    out += std::string("<") + element.name();
    for (const auto attribute : element.attributes()) {
        out += std::string(" ") + attribute.name() + "='";
        add_escaped(out, attribute.value(), true);
        out += "'";
    }
    out += element.first_child() ? ">" : "/>";
}

void add_end(std::string& out, pugi::xml_node element) {
    if (element.first_child()) out += std::string("</") + element.name() + ">";
}

class Writer : public pugi::xml_tree_walker {
  public:
    bool for_each(pugi::xml_node& node) override {
        leave(depth());
        const std::string value = node.value();
        switch (node.type()) {
            case pugi::node_element:
                add_start(out, node);
                open_.push_back(node);
                break;
            case pugi::node_pcdata:
                add_escaped(out, value, false);
                break;
            case pugi::node_cdata:
                out += "<![CDATA[" + value + "]]>";
                break;
            case pugi::node_comment:
                out += "<!--" + value + "-->";
                break;
            case pugi::node_pi:
                out += std::string("<?") + node.name() + (value.empty() ? "" : " ") + value + "?>";
                break;
            default:
                break;  // not inside of elements
        }
        return true;
    }
    // Ends the elements that are not around what has this depth, 0 for the outermost's children.
    void leave(int depth) {
        for (; open_.size() > static_cast<std::size_t>(depth); open_.pop_back())
            add_end(out, open_.back());
    }

    std::string out;

  private:
    std::vector<pugi::xml_node> open_;
};

}  // namespace

std::string xml_text(pugi::xml_node element) {
    Writer writer;
    add_start(writer.out, element);
    element.traverse(writer);
    writer.leave(0);
    add_end(writer.out, element);
    return std::move(writer.out);
}

std::size_t element_end(std::string_view document, std::size_t begin) {
    std::size_t at = begin;
    auto skip = [&](std::string_view mark) {
        const auto found = document.find(mark, at);
        at = found == std::string_view::npos ? document.size() : found + mark.size();
    };
    int depth = 0;
    do {
        at = std::min(document.find('<', at), document.size());
        const auto rest = document.substr(at);
        if (rest.starts_with("<!--")) {
            at += 4;  // "<!-->" does not end one
            skip("-->");
        } else if (rest.starts_with("<![CDATA[")) {
            skip("]]>");
        } else if (rest.starts_with("<?")) {
            skip("?>");
        } else if (rest.starts_with("</")) {
            skip(">");
            --depth;
        } else {
            // A '>' may stand in a value.
            while (at < document.size() && document[at] != '>') {
                const char c = document[at++];
                if (c == '"' || c == '\'') skip(std::string_view(&c, 1));
            }
            if (document[at - 1] != '/') ++depth;
            skip(">");
        }
    } while (depth > 0 && at < document.size());
    return at;
}

}  // namespace sfg::hooks
